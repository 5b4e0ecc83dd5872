// The optimizing compiler takes tens of milliseconds of processor time, as much as some thousand events do without it: after
// so many bytes of code it has paid, be there few events or many. V8 of Node 22 and later is patient by itself.
const BUDGET = 300_000;
const FIRST_PATIENT = 22;

/** Has code run longer before it is optimized, in this whole process: a tool with few events takes half as much in Node 20. */
export function optimizeLater(): void {
  if (Number.parseInt(process.versions.node, 10) < FIRST_PATIENT) {
    process.getBuiltinModule('node:v8').setFlagsFromString(`--interrupt-budget=${BUDGET}`);
  }
}
