import type { Column, FieldTypes, Row, StackFields } from '../model/message.ts';
import { type SemanticType, semanticType } from '../model/types.ts';
import { type Members, Misfit, unknownType, valueFrom } from './values.ts';

/** @throws Misfit */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Misfit('it is not JSON');
  }
}

/** The fields of a row that are known, as values. Those without one are undefined, as they were. */
export function rowOf(line: Members, types: FieldTypes): Row {
  const entries: [string, unknown][] = [];
  for (const [name, type] of Object.entries(types)) {
    const json = Object.hasOwn(line, name) ? line[name] : undefined;
    try {
      entries.push([name, json === undefined ? undefined : valueFrom(type, json)]);
    } catch (error) {
      throw error instanceof Misfit ? new Misfit(`${name}: ${error.message}`) : error;
    }
  }
  return Object.fromEntries(entries);
}

/** Whether values of a type are checked when they are read, so that its rendering can be trusted with them. */
export function isPlain({ typescript }: SemanticType): boolean {
  return /^(number|string|boolean|bigint|Stack|readonly string\[\]|".*)$/s.test(typescript);
}

/** Those that really have stacks. */
export function stackFields({ kernel, user, addresses }: Members, types: FieldTypes): StackFields {
  const isStack = (name: unknown): name is string =>
    typeof name === 'string' && Object.hasOwn(types, name) && types[name]?.typescript === 'Stack';
  return {
    ...(isStack(kernel) && { kernel }),
    ...(isStack(user) && { user }),
    ...(addresses === true && { addresses }),
  };
}

/** A column of which nothing but its values is known. */
export function plainColumn(name: string, type: SemanticType): Column {
  return { name, header: name.toUpperCase(), width: type.width, align: type.align, type };
}

/** What the values of a member that no definition knows seem to be. */
export function guessedType(name: string, value: unknown): SemanticType {
  const time = semanticType('boot_ns_t');
  if (name === 'time' && typeof value === 'string' && time !== undefined) {
    return time;
  }
  return typeof value === 'number' ? unknownType('number', 'right', 8) : unknownType('value', 'left', 12);
}

/** A definition's own rendering, which may stumble over values that no run of it would have given. */
export function textFrom(column: Column | undefined): Pick<Column, 'text'> {
  const { text, type } = column ?? {};
  return text === undefined || type === undefined
    ? {}
    : {
        text: (value, row) => {
          try {
            return text(value, row);
          } catch {
            return type.text(value, { time: 'clock', utc: false });
          }
        },
      };
}
