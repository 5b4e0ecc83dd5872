// The optimizing compiler takes tens of milliseconds of processor time, as much as some thousand events do without it: after
// so many bytes of code it has paid, be there few events or many. V8 of Node 22 and later is patient by itself.
const PATIENT = 300_000;
const USUAL = 67_584;
const FIRST_PATIENT = 22;

/** So many events at once come where there are thousands a second: then each of them counts, and the sooner the better. */
const BURST = 200;

let patient = false;

/** Has code run longer before it is optimized, in this whole process: a tool with few events takes half as much in Node 20. */
export function optimizeLater(): void {
  patient = setBudget(PATIENT);
}

/** As V8 is by itself, whose compiled code is for the settings that it was compiled with. */
export function optimizeAsUsual(): void {
  patient = false;
  setBudget(USUAL);
}

/** The end of patience when so many events came at once that the ring would be full before the code is fast. */
export function hurryIf(events: number): void {
  if (patient && events >= BURST) {
    optimizeAsUsual();
  }
}

function setBudget(bytes: number): boolean {
  const settable = Number.parseInt(process.versions.node, 10) < FIRST_PATIENT;
  if (settable) {
    process.getBuiltinModule('node:v8').setFlagsFromString(`--interrupt-budget=${bytes}`);
  }
  return settable;
}
