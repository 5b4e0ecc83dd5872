import type { Message } from '../model/message.ts';
import { type CompiledPlace, type EventDetails, formCode, type ProgramMaps } from '../probes/compile.ts';
import { disassemble } from '../probes/disassemble.ts';
import { now } from '../system/clock.ts';
import { chosenColumns } from './columns.ts';
import { typeOf } from './generated-events.ts';

export const programTypes = {
  hook: typeOf('text_t', 'where the program is attached'),
  index: typeOf('count_t', 'of the instruction: jumps go to such numbers'),
  instruction: typeOf('text_t', 'what it does, in the notation of the verifier'),
};

/** Maps that are not there: their descriptors are numbers by which their names are found again. */
class NamedMaps implements ProgramMaps {
  readonly #names: string[] = [];

  map(name: string): { readonly fd: number } {
    return { fd: this.#names.push(name) };
  }

  variable(name: string): { readonly map: number; readonly offset: number } {
    return { map: this.map(name).fd, offset: 0 };
  }

  nameOf(fd: number): string {
    return this.#names[fd - 1] ?? '?';
  }
}

/** Lists the programs that would trace these places, and loads nothing. */
export function* programListing(
  tool: string,
  places: readonly CompiledPlace[],
  values: Readonly<Record<string, unknown>>,
  detailsFor: (maps: ProgramMaps) => EventDetails,
): Generator<Message> {
  const maps = new NamedMaps();
  const details = detailsFor(maps);
  const time = now();
  const rows = places
    .flatMap(({ forms }) => forms)
    .flatMap((form, i) =>
      disassemble(formCode(form, i, maps, details), (fd) => maps.nameOf(fd)).map((shown) => ({
        hook: form.target.hook,
        ...shown,
      })),
    );
  const { columns, fields } = chosenColumns({ hook: {}, index: {}, instruction: {} }, programTypes, values as never);
  yield { type: 'ready', tool, activity: 'Listing programs', time, hooks: [], columns: [], types: {} };
  yield { type: 'table', time, columns, types: programTypes, rows, ...(fields !== undefined && { fields }) };
}
