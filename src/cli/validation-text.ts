import { printable } from '../observe/log/text-form.ts';
import type { Paint } from './colour.ts';
import type { Finding, Place, RouteSummary, Validation } from './validation.ts';

/** For people: problems, warnings, what each Route is, and one line that sums up. */
export function validationText(validation: Validation, paint: Paint): string {
  const { problems, warnings, notChecked, routes } = validation;
  const blocks = [
    problems.map((finding) => `${findingLine(finding, paint.bad('problem'))}\n`).join(''),
    warnings.map((finding) => `${findingLine(finding, paint.warn('warning'))}\n`).join(''),
    notChecked.map((finding) => `${findingLine(finding, paint.strong('not checked'))}\n`).join(''),
    routes === undefined ? UNUSABLE : routes.map((route) => routeLines(route, paint)).join(''),
    `${sumLine(validation, paint)}\n`,
  ];
  return blocks.filter((block) => block !== '').join('\n');
}

const UNUSABLE =
  'What the Routes are is not shown: a file can not be used, and a server keeps its whole last good state then.\n';

function findingLine({ file, line, object, field, message }: Finding, label: string): string {
  const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `;
  const text = [object, field, message].filter((part) => part !== undefined && part !== '').join(': ');
  return `${printable(place)}${label}: ${printable(text)}`;
}

function routeLines(route: RouteSummary, paint: Paint): string {
  const lines = [`${paint.strong(`Route ${route.route}`)}  ${exposureText(route, paint)}`];
  for (const place of route.places) lines.push(`    ${placeText(place, route, paint)}`);
  for (const uri of route.redirectURIs) lines.push(`    ${paint.faint(`register at the provider: ${printable(uri)}`)}`);
  return `${lines.join('\n')}\n`;
}

function exposureText({ exposure, plugins, rules, reason, clients }: RouteSummary, paint: Paint): string {
  const from = clients === undefined ? '' : `, from ${clients.join(', ')} only`;
  switch (exposure) {
    case 'Protected': {
      const who = rules === undefined ? 'any account' : `rules ${rules.join(', ')}`;
      return `${paint.good('Protected')} by ${plugins.join(', ')}: ${who}${from}`;
    }
    case 'Public':
      return `${paint.warn('Public')}: everybody, without login${from}`;
    case 'Denied':
      return `${paint.bad('Denied')} (503): ${reason ?? ''}`;
  }
}

function placeText(place: Place, route: RouteSummary, paint: Paint): string {
  const methods = place.methods === undefined ? '' : `${place.methods.join(',')} `;
  const path = place.type === 'Exact' ? `${place.path} (exactly)` : place.path;
  const other = place.exposure === route.exposure ? '' : ` ${paint.bad(place.exposure)} here`;
  return printable(`${methods}${place.host}${path}`) + other;
}

function sumLine({ objects, problems, warnings, notChecked }: Validation, paint: Paint): string {
  if (objects === 0 && problems.length === 0) return paint.warn('No object of Postern is here.');
  const unchecked = notChecked.length === 0 ? '' : `, ${notChecked.length} not checked`;
  const sum = `${count(objects, 'object')}, ${count(problems.length, 'problem')}, ${count(warnings.length, 'warning')}${unchecked}`;
  return problems.length > 0 ? paint.bad(sum) : paint.good(sum);
}

const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
