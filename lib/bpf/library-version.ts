import { libbpf } from '../native/libbpf.ts';

/** Version of the libbpf in use: '1.5.0'. @throws KscopeError unsupported, if there is none */
export function libbpfVersion(): string {
  return libbpf.libbpf_version_string().replace(/^v/, '');
}
