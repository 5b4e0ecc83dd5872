import type { BpfProgram } from '../bpf/program.ts';
import { attachToFunctions } from '../bpf/user-functions.ts';
import { KscopeError } from '../model/errors.ts';
import { loaderFiles, mappedFiles } from '../system/libraries.ts';

export interface FunctionPlaces {
  /** What the files are called: /^libc\.so\.6$/. */
  readonly file: RegExp;
  /** What people call it, for errors: 'C library'. */
  readonly what: string;
  /** Names of the functions; a file may lack some. */
  readonly functions: readonly string[] | ((values: never) => readonly string[]);
  /** At the return of the functions. */
  readonly return?: boolean;
  /** With a process given, attach in that one only: its functions are called so often that others would feel it. */
  readonly inProcess?: boolean;
  /** It does not matter when no file has any of them. */
  readonly optional?: boolean;
  /** Binaries to look at besides what runs. */
  readonly also?: readonly string[];
  /** Binaries that the user has named: looked at even when only one process is wanted. */
  readonly named?: readonly string[];
}

/** The C library, and where it was once apart its threads: of glibc and musl. */
export const cLibrary = {
  file: /^(libc\.so\.6|libc-2\.\d+\.so|libpthread\.so\.0|libpthread-2\.\d+\.so|ld-musl-.*\.so\.1|libc\.musl-.*\.so\.1)$/,
  what: 'C library',
} as const;

/** Values of the options that `atFunctions` knows. */
export interface UserFunctionValues {
  readonly pid?: number | undefined;
  readonly file?: string | undefined;
}

/**
 * How to attach a program to functions of programs and libraries, for `attach.by`: in the file that the option `file`
 * names, or else in all files of that name that processes use, those of containers included, and where the loader finds
 * them for programs that are started later.
 */
export function atFunctions(places: FunctionPlaces): (program: BpfProgram, values: UserFunctionValues) => void {
  return (program, values) => {
    const { pid, file } = values;
    const functions = typeof places.functions === 'function' ? places.functions(values as never) : places.functions;
    const files =
      file === undefined
        ? [
            ...mappedFiles(places.file, pid),
            ...(pid === undefined ? [...loaderFiles(places.file), ...(places.also ?? [])] : []),
            ...(places.named ?? []),
          ]
        : [file];
    const count = attachToFunctions(program, files, functions, {
      return: places.return ?? false,
      pid: places.inProcess === true ? pid : undefined,
    });
    if (count === 0 && places.optional !== true) {
      const where = file === undefined ? `no ${places.what}` : `'${file}' is no ELF file that`;
      throw new KscopeError(file === undefined ? 'unsupported' : 'usage', `${where} has ${functions.join(' or ')}`);
    }
  };
}
