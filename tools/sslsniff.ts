import bpf from '../bpf/sslsniff.bpf.ts';
import {
  accepted,
  atFunctions,
  filters,
  flag,
  hexLines,
  integer,
  KscopeError,
  lettered,
  list,
  payloadLines,
  snoop,
  type UserFunctionValues,
  unescapeText,
} from '../lib/tool.ts';

type Library = 'openssl' | 'gnutls' | 'nss';
type Calls = 'read' | 'write' | 'read_ex' | 'write_ex' | 'handshake';

// Node brings OpenSSL along, with its names.
const files: Readonly<Record<Library, RegExp>> = {
  openssl: /^(libssl\.so\.[\d.]+|node|nodejs)$/,
  gnutls: /^libgnutls\.so\.\d+/,
  nss: /^(libnspr4|libssl3)\.so/,
};

const functions: Readonly<Record<Library, Readonly<Partial<Record<Calls, readonly string[]>>>>> = {
  openssl: {
    read: ['SSL_read'],
    write: ['SSL_write'],
    read_ex: ['SSL_read_ex'],
    write_ex: ['SSL_write_ex'],
    handshake: ['SSL_do_handshake'],
  },
  gnutls: { read: ['gnutls_record_recv'], write: ['gnutls_record_send'], handshake: ['gnutls_handshake'] },
  nss: { read: ['PR_Read', 'PR_Recv'], write: ['PR_Write', 'PR_Send'], handshake: ['SSL_ForceHandshake'] },
};

interface Values extends UserFunctionValues {
  readonly noOpenssl?: boolean;
  readonly noGnutls?: boolean;
  readonly noNss?: boolean;
  readonly extra?: readonly { readonly type: Library; readonly path: string }[] | undefined;
}

/** Attaches to these calls in all libraries that are wanted; a library that nobody has is no error. */
function at(
  libraries: readonly Library[],
  calls: readonly Calls[],
  details: { readonly return?: boolean; readonly optional?: boolean } = { optional: true },
) {
  return (program: Parameters<ReturnType<typeof atFunctions>>[0], values: Values) => {
    const without = { openssl: values.noOpenssl, gnutls: values.noGnutls, nss: values.noNss };
    const wanted = libraries.filter((library) => without[library] !== true);
    atFunctions({
      file: new RegExp(wanted.map((library) => files[library].source).join('|') || '^$'),
      what: 'TLS library',
      functions: wanted.flatMap((library) => calls.flatMap((call) => functions[library][call] ?? [])),
      named: (values.extra ?? []).filter(({ type }) => wanted.includes(type)).map(({ path }) => path),
      ...details,
    })(program, { pid: values.pid });
  };
}

/** What to say where only the beginning was kept. */
function truncation(data: string, size: number): string {
  const lost = size - unescapeText(data).length;
  return lost > 0 ? ` (TRUNCATED, ${lost} bytes lost)` : '';
}

const all = ['openssl', 'gnutls', 'nss'] as const;

export default snoop(bpf, {
  summary: 'Trace the plain text of what goes through TLS libraries.',
  area: 'programs',
  activity: 'Tracing TLS libraries',
  description: `
Prints each piece of data that a program gives to OpenSSL, GnuTLS or NSS to encrypt, or gets from them, with its size: the functions SSL_read and SSL_write, with and without _ex, gnutls_record_recv and gnutls_record_send, and PR_Read, PR_Recv, PR_Write and PR_Send. Calls that fail or have to be made again are not shown. Only the first bytes are kept (--max-buffer-size); the size is always that of the whole. The latency is the time in the function, waiting included.

Libraries are traced that a process uses when the tracing begins, those of containers included, and the system's own. Node has OpenSSL inside and is traced as well. Other programs that bring a library of their own along need --extra-lib, and its functions have to have names there; Go and Rust have other implementations, which are not seen. NSS programs read other things than TLS through the same functions.

In JSON, data is text where it is text; other bytes are written as \\xNN, a backslash as \\\\.`,
  overhead:
    'About 3 µs for each call that reads or writes (measured on a 2-core virtual machine, where a breakpoint is dear), more for much data, and nothing for other programs.',
  options: {
    ...filters,
    comm: lettered(filters.comm, 'c'),
    noOpenssl: flag('-o, --no-openssl', 'leave out OpenSSL'),
    noGnutls: flag('-g, --no-gnutls', 'leave out GnuTLS'),
    noNss: flag('-n, --no-nss', 'leave out NSS'),
    extra: list(
      '--extra-lib <TYPE:FILE>',
      'also this library or program; the type is openssl, gnutls or nss',
      (given) => {
        const [, type = '', path = ''] = /^(openssl|gnutls|nss):(.+)$/.exec(given) ?? [];
        if (path === '') {
          throw new KscopeError('usage', `'${given}' is not TYPE:FILE with a type of openssl, gnutls or nss`);
        }
        return { type: type as Library, path };
      },
    ),
    size: integer('--max-buffer-size <BYTES>', 'print at most this many bytes of each piece; usually 8192', {
      group: 'output',
      set: 'max_data',
      min: 0,
      max: 65536,
    }),
    debug: accepted('-d, --debug'),
    handshake: flag('--handshake', 'also handshakes'),
    hexdump: flag('--hexdump', 'show data in hexadecimal', { group: 'output' }),
    noData: flag('--no-data', 'leave out the data', {
      set: 'max_data',
      encode: () => 0,
      group: 'output',
      hidden: ['--record-data=false'],
    }),
    extraColumns: flag('-x, --extra', 'show user and thread id', { group: 'column' }),
    latency: flag('-l, --latency', 'show the time in the function', { group: 'column' }),
  },
  columns: {
    function: {
      header: 'FUNC',
      width: 10,
      text: (name) => ({ READ: 'READ/RECV', WRITE: 'WRITE/SEND' })[name as string] ?? name,
    },
    time: {},
    comm: {},
    pid: {},
    size: { header: 'LEN', width: 6, text: String },
    uid: { when: 'extraColumns' },
    tid: { when: 'extraColumns' },
    latency: { header: 'LAT(ms)', when: 'latency', text: (latency) => (latency / 1e6).toFixed(3) },
    data: {
      header: 'DATA',
      text: (data, { size, function: name }, { noData, hexdump }) => {
        if (noData || name === 'HANDSHAKE') {
          return '';
        }
        const lines = hexdump ? hexLines(data) : payloadLines(data);
        return ['', '----- DATA -----', ...lines, `----- END DATA${truncation(data, size)} -----`, ''].join('\n');
      },
    },
  },
  attach: {
    by: {
      // A system without any library is told so once.
      read_begins: at(all, ['read'], {}),
      write_begins: at(all, ['write']),
      read_ex_begins: at(['openssl'], ['read_ex']),
      write_ex_begins: at(['openssl'], ['write_ex']),
      transfer_ends: at(all, ['read', 'write', 'read_ex', 'write_ex'], { return: true, optional: true }),
      handshake_begins: at(all, ['handshake']),
      openssl_handshake_ends: at(['openssl'], ['handshake'], { return: true, optional: true }),
      other_handshake_ends: at(['gnutls', 'nss'], ['handshake'], { return: true, optional: true }),
    },
    unwanted: ({ handshake }) =>
      handshake ? [] : ['handshake_begins', 'openssl_handshake_ends', 'other_handshake_ends'],
  },
  examples: {
    '': 'show all plain text',
    '-p 181 --hexdump': 'what process 181 sends and receives, in hexadecimal',
    '--handshake -l --no-data': 'how long handshakes, reads and writes take',
    '--extra-lib openssl:/opt/app/bin/server': 'a program that has OpenSSL inside, too',
  },
  sample: {
    before: 'curl gets a page from a server over TLS:',
    args: '-c curl -l',
    output: `
FUNC       TIME     COMM                 PID    LEN  LAT(ms) DATA
WRITE/SEND 20:53:52 curl                 780     81    0.047 
----- DATA -----
GET /hello.txt HTTP/1.1
Host: localhost:18443
User-Agent: curl
Accept: */*

----- END DATA -----

READ/RECV  20:53:52 curl                 780     51    0.074 
----- DATA -----
HTTP/1.0 200 ok
Content-type: text/plain

hello
----- END DATA -----`,
    after:
      'What went over the network was encrypted; here it is as curl gave it to the library, and got it. The call that wrote took 0.05 ms. The one that read took little more, so the answer had come already.',
  },
});
