import { formatIp, parseIp } from '../model/ip.ts';
import { parseSubnet } from '../model/subnet.ts';
import { type Span, specificationError } from './specification-error.ts';

/** A step of `bpf/include/packet-filter.h`: addresses as text, the rest as numbers. */
export interface FilterStep {
  readonly kind: number;
  readonly which: number;
  readonly low: number;
  readonly high: number;
  readonly network: string;
  readonly mask: string;
}

/** As many as there is room for. */
const MOST = 127;

const kinds = { number: 1, address: 2, and: 3, or: 4, not: 5 } as const;
const numbers = { version: 0, ethertype: 1, protocol: 2, source: 3, destination: 4, length: 5, outbound: 6 } as const;

const none = { which: 0, low: 0, high: 0, network: '::', mask: '::' } as const;
const [and, or, not] = [kinds.and, kinds.or, kinds.not].map((kind): FilterStep => ({ ...none, kind }));

type Steps = readonly FilterStep[];

function both(left: Steps, right: Steps): Steps {
  return [...left, ...right, and as FilterStep];
}

function either(left: Steps, right: Steps): Steps {
  return [...left, ...right, or as FilterStep];
}

function from(which: keyof typeof numbers, low: number, high = low): Steps {
  return [{ ...none, kind: kinds.number, which: numbers[which], low, high }];
}

const ipv4 = from('version', 4);
const ipv6 = from('version', 6);

/** Words that are conditions by themselves. */
const conditions: Readonly<Record<string, Steps>> = {
  ip: ipv4,
  ip6: ipv6,
  arp: from('ethertype', 0x0806),
  tcp: from('protocol', 6),
  udp: from('protocol', 17),
  icmp: both(ipv4, from('protocol', 1)),
  icmp6: both(ipv6, from('protocol', 58)),
  inbound: from('outbound', 0),
  outbound: from('outbound', 1),
};
/** Those that may stand before another condition, and then hold as well. */
const qualifiers = ['ip', 'ip6', 'arp', 'tcp', 'udp'];
const directions = ['src', 'dst'];
const values = ['host', 'net', 'port', 'portrange', 'proto', 'less', 'greater'];
const known = `conditions: ${[...values, ...Object.keys(conditions)].join(', ')}`;

interface Word extends Span {
  readonly text: string;
}

/** What a value without words of its own is about: that of the one before, in 'port 80 or 443'. */
interface Meaning {
  readonly kind: string;
  readonly protocol: Steps | undefined;
  readonly direction: string;
}

/**
 * A condition on packets in the words of tcpdump, as steps of a stack machine: none for the empty text.
 * @throws KscopeError usage, with a line that points at what is wrong
 */
export function packetFilter(text: string): Steps {
  const reader = new Reader(text);
  const steps = reader.empty ? [] : reader.whole();
  if (steps.length > MOST) {
    throw specificationError(text, { start: 0, end: text.length }, `this takes ${steps.length} steps, of ${MOST}`);
  }
  return steps;
}

class Reader {
  readonly #text: string;
  readonly #words: readonly Word[];
  #at = 0;
  #meaning: Meaning | undefined;

  constructor(text: string) {
    this.#text = text;
    this.#words = [...text.matchAll(/[()!]|&&|\|\||[^\s()!&|]+|\S/g)].map((found) => ({
      text: found[0],
      start: found.index,
      end: found.index + found[0].length,
    }));
  }

  get empty(): boolean {
    return this.#words.length === 0;
  }

  whole(): Steps {
    const steps = this.#alternatives();
    if (this.#at < this.#words.length) {
      throw this.#error("'and' or 'or' must stand before this", this.#next);
    }
    return steps;
  }

  /** As tcpdump has it, neither of 'and' and 'or' comes before the other. */
  #alternatives(): Steps {
    let steps = this.#factor();
    for (;;) {
      if (this.#take('and', '&&')) {
        steps = both(steps, this.#factor());
      } else if (this.#take('or', '||')) {
        steps = either(steps, this.#factor());
      } else {
        return steps;
      }
    }
  }

  #factor(): Steps {
    if (this.#take('not', '!')) {
      return [...this.#factor(), not as FilterStep];
    }
    if (this.#take('(')) {
      const steps = this.#alternatives();
      if (!this.#take(')')) {
        throw this.#error("')' is missing", this.#next);
      }
      return steps;
    }
    return this.#condition();
  }

  #condition(): Steps {
    const first = this.#next;
    const protocol = qualifiers.find((word) => this.#take(word));
    const direction = this.#direction();
    const kind = values.find((word) => this.#take(word));
    const next = this.#next;
    if (protocol !== undefined && direction === undefined && kind === undefined && !this.#isValue(next)) {
      return conditions[protocol] as Steps;
    }
    if (protocol === undefined && direction === undefined && kind === undefined) {
      const alone = conditions[next.text];
      if (alone !== undefined) {
        this.#at++;
        return alone;
      }
    }
    if (kind === undefined && !this.#isValue(next)) {
      throw this.#error(next.text === '' ? 'a condition is missing' : 'this is no condition', next, known);
    }
    const plain = protocol === undefined && direction === undefined && kind === undefined;
    const meaning: Meaning =
      plain && this.#meaning !== undefined
        ? this.#meaning
        : {
            kind: kind ?? (next.text.includes('/') ? 'net' : 'host'),
            protocol: protocol === undefined ? undefined : conditions[protocol],
            direction: direction ?? 'either',
          };
    this.#meaning = meaning;
    if (next.text === '') {
      throw this.#error(`'${meaning.kind}' of what is missing`, first.text === '' ? next : { ...first, end: next.end });
    }
    this.#at++;
    const steps = this.#value(meaning, next);
    return meaning.protocol === undefined ? steps : both(meaning.protocol, steps);
  }

  /** 'src or dst' is what holds without it. */
  #direction(): string | undefined {
    const one = directions.find((word) => this.#take(word));
    const [between = '', other = ''] = this.#words.slice(this.#at, this.#at + 2).map(({ text }) => text);
    if (one === undefined || !/^(and|or|&&|\|\|)$/.test(between) || !directions.includes(other) || other === one) {
      return one;
    }
    this.#at += 2;
    return /^(and|&&)$/.test(between) ? 'both' : 'either';
  }

  /** Addresses and numbers; with a kind in front, anything is meant as one. */
  #isValue({ text }: Word): boolean {
    return /^[\da-f:.]*[\d:][\da-f:./-]*$/i.test(text);
  }

  #value({ kind, direction }: Meaning, word: Word): Steps {
    const { text } = word;
    switch (kind) {
      case 'host':
        return inDirection(direction, (which) => address(which, ...this.#host(word)));
      case 'net':
        return inDirection(direction, (which) => address(which, ...this.#net(word)));
      case 'port':
      case 'portrange': {
        const [, low, high = low] = (kind === 'port' ? /^(\d+)$/ : /^(\d+)-(\d+)$/).exec(text) ?? [];
        const first = this.#number(word, low, 65535, kind === 'port' ? 'a port' : 'a range of ports such as 1-1023');
        const last = this.#number(word, high, 65535, 'a range of ports such as 1-1023');
        return inDirection(direction, (which) => from(which, Math.min(first, last), Math.max(first, last)));
      }
    }
    if (direction !== 'either') {
      throw this.#error(`'${kind}' has no direction`, word);
    }
    const number = this.#number(word, text, kind === 'proto' ? 255 : 2 ** 31, 'a number');
    return kind === 'proto'
      ? from('protocol', number)
      : from('length', ...((kind === 'less' ? [0, number] : [number, 2 ** 32 - 1]) as [number, number]));
  }

  #number(word: Word, text: string | undefined, most: number, what: string): number {
    const number = /^\d{1,10}$/.test(text ?? '') ? Number(text) : Number.NaN;
    if (!(number <= most)) {
      throw this.#error(`this is not ${what}`, word, 'names are not looked up: write numbers and addresses');
    }
    return number;
  }

  #host(word: Word): [string, string, boolean] {
    const bytes = parseIp(word.text);
    if (bytes === undefined) {
      throw this.#error('this is not an address', word, 'names are not looked up: write numbers and addresses');
    }
    return [formatIp(bytes, 0), 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', false];
  }

  /** 'net 10' and 'net 192.168' are networks too: of as many bits as are written. */
  #net(word: Word): [string, string, boolean] {
    const parts = /^\d{1,3}(\.\d{1,3}){0,2}$/.test(word.text) ? word.text.split('.') : undefined;
    const whole = parts && `${[...parts, '0', '0', '0'].slice(0, 4).join('.')}/${8 * parts.length}`;
    let subnet: ReturnType<typeof parseSubnet>;
    try {
      subnet = parseSubnet(whole ?? word.text);
    } catch {
      throw this.#error('this is not a network such as 10.0.0.0/8 or fe80::/10', word);
    }
    const given = parseIp((whole ?? word.text).split('/')[0] ?? '');
    if (given === undefined || formatIp(given, 0) !== subnet.network) {
      throw this.#error(
        `this has bits that are not the network's`,
        word,
        `the network is ${subnet.network}/${subnet.prefix}`,
      );
    }
    return [subnet.network, subnet.mask, subnet.ip === 6];
  }

  get #next(): Word {
    const end = this.#text.length;
    return this.#words[this.#at] ?? { text: '', start: end, end };
  }

  #take(...texts: readonly string[]): boolean {
    const taken = texts.includes(this.#next.text);
    this.#at += taken ? 1 : 0;
    return taken;
  }

  #error(why: string, span: Span, ...hints: readonly string[]) {
    return specificationError(this.#text, span, why, ...hints);
  }
}

function inDirection(direction: string, test: (which: 'source' | 'destination') => Steps): Steps {
  switch (direction) {
    case 'src':
      return test('source');
    case 'dst':
      return test('destination');
    case 'both':
      return both(test('source'), test('destination'));
    default:
      return either(test('source'), test('destination'));
  }
}

/** Packets without addresses have zeros there, which are in some networks of IPv6. */
function address(which: 'source' | 'destination', network: string, mask: string, onlyIpv6: boolean): Steps {
  const number = which === 'source' ? 0 : 1;
  const steps: Steps = [{ ...none, kind: kinds.address, which: number, network, mask }];
  return onlyIpv6 ? both(ipv6, steps) : steps;
}
