import { escapeText } from '../model/escape.ts';
import { frameName } from '../model/frames.ts';
import type { JsonValue } from '../model/json.ts';
import type { Row } from '../model/message.ts';
import type { SemanticType } from '../model/types.ts';
import type { CompiledForm, CompiledPlace } from '../probes/compile.ts';
import { type Conversion, formatMessage, formatNumber } from '../probes/format.ts';
import type { PrintedValue } from '../probes/printed-value.ts';
import { readField, readHead } from '../probes/record.ts';
import { kernelFunction } from '../system/symbols/kernel-function.ts';
import { UserSymbols } from '../system/symbols/user.ts';
import { headFields } from './generated-events.ts';

type Raw = bigint | string | undefined;

/** The values of an event, by how they are written where they were asked for. */
export const valuesType: SemanticType<Readonly<Record<string, JsonValue>>> = {
  name: 'values',
  help: 'values of the format, by their expressions; one that could not be read is null',
  typescript: 'Readonly<Record<string, string | number | null>>',
  schema: { type: 'object' },
  width: 24,
  align: 'left',
  optional: true,
  decode: { from: 'number' },
  text: (values) =>
    Object.entries(values)
      .map(([name, value]) => `${escapeText(name)}=${value}`)
      .join(' '),
  json: (values) => values,
};

/** Turns records of programs that were written at run time into rows. */
export class ProbeRows {
  readonly #forms: readonly { readonly place: CompiledPlace; readonly form: CompiledForm; readonly name: string }[];
  readonly #user = new UserSymbols();
  readonly #names = new Map<PrintedValue, ReadonlyMap<bigint, string>>();

  constructor(places: readonly CompiledPlace[]) {
    this.#forms = places.flatMap((place) =>
      place.forms.map((form) => ({ place, form, name: escapeText(place.specification.place.name) })),
    );
  }

  /** @param bootToEpoch microseconds to add to a boot-time clock reading; undefined for a record that is none of ours */
  row(bytes: Uint8Array, bootToEpoch: number): Row | undefined {
    const head = readHead(bytes);
    const found = this.#forms[head.place];
    if (found === undefined) {
      return undefined;
    }
    const { place, form, name } = found;
    const { format } = place.specification;
    const raw = form.layout.fields.map((field) => readField(bytes, field));
    // By name: what is spread into an object makes it, and all that reads it, several times slower.
    const { time, cpu, pid, tid, comm } = headFields(head, bootToEpoch);
    return {
      time,
      cpu,
      pid,
      tid,
      comm,
      func: name,
      message:
        format === undefined
          ? undefined
          : formatMessage(
              format,
              format.conversions.map((conversion, i) => this.#text(raw[i], form, i, conversion, pid)),
              escapeText,
            ),
      values: raw.length === 0 ? undefined : this.#values(raw, form, pid),
      kernel_stack: head.kernel,
      user_stack: head.user,
    };
  }

  #text(value: Raw, form: CompiledForm, index: number, conversion: Conversion, pid: number): string {
    const printed = form.values[index];
    if (typeof value !== 'bigint' || printed === undefined) {
      return String(value ?? '?');
    }
    return this.#named(value, printed, pid) ?? formatNumber(value, conversion);
  }

  /** A number that stands for something with a name. */
  #named(value: bigint, printed: PrintedValue, pid: number): string | undefined {
    switch (printed.as) {
      case 'letter':
        return escapeText(String.fromCharCode(Number(BigInt.asUintN(8, value))));
      case 'name': {
        let names = this.#names.get(printed);
        if (names === undefined) {
          names = (printed.typed.type.is === 'number' && printed.typed.type.names?.()) || new Map();
          this.#names.set(printed, names);
        }
        return escapeText(names.get(value) ?? value.toString());
      }
      case 'kernel symbol':
        return kernelFunction(`0x${BigInt.asUintN(64, value).toString(16)}`);
      case 'user symbol': {
        const frame = this.#user.resolve(pid, BigInt.asUintN(64, value));
        const offset = frame.symbol === undefined || frame.offset === 0 ? '' : `+0x${(frame.offset ?? 0).toString(16)}`;
        return `${frameName(frame)}${offset}`;
      }
      default:
        return undefined;
    }
  }

  #values(raw: readonly Raw[], form: CompiledForm, pid: number): Readonly<Record<string, JsonValue>> {
    const values: Record<string, JsonValue> = {};
    for (const [i, value] of raw.entries()) {
      const printed = form.values[i] as PrintedValue;
      const { type } = printed.typed;
      // Two values may be written the same way.
      const name = Object.hasOwn(values, printed.name) ? `${printed.name} #${i + 1}` : printed.name;
      values[name] =
        typeof value !== 'bigint'
          ? (value ?? null)
          : (this.#named(value, printed, pid) ??
            (type.is === 'pointer' || type.is === 'array'
              ? `0x${value.toString(16)}`
              : type.is === 'number' && type.size <= 4
                ? Number(value)
                : value.toString()));
    }
    return values;
  }
}
