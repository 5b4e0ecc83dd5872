/**
 * The environment of npm, which asks its registry: with the certificates that a test run keeps from everything else, for
 * a Node that has to read some takes twice as long to start.
 */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const { KSCOPE_NPM_CERTIFICATES: certificates, ...environment } = process.env;
  return certificates === undefined ? environment : { NODE_EXTRA_CA_CERTS: certificates, ...environment };
}
