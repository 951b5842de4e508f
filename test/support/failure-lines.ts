export interface Failure {
  readonly name: string;
  /** Lines of what went wrong; the last one says where. */
  readonly why: readonly string[];
}

/** So many failures are told with their reasons; of more, whatever broke is the same thing. */
const TOLD = 20;
const LINES = 6;
const WIDTH = 300;

/** Two spaces before a name, six before what it says: whoever cuts a log finds them by that. Empty lines are left out. */
export function failureLines(failed: readonly Failure[]): readonly string[] {
  return failed.flatMap(({ name, why }, at) => [`  ${name}`, ...(at < TOLD ? shortened(why) : [])]);
}

function shortened(why: readonly string[]): readonly string[] {
  const lines = why.filter((line) => line.trim() !== '');
  const shown = lines.length <= LINES ? lines : [...lines.slice(0, LINES - 1), ...lines.slice(-1)];
  return shown.map((line) => `      ${line.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line}`);
}
