import { DEFAULT_CLASS } from '../resources/metadata.ts';
import type { Output, ValidateSettings } from '../settings.ts';
import { readExternal } from './read-serve.ts';
import type { Reader } from './reader.ts';
import * as values from './values.ts';

export function readValidate(reader: Reader, output: Output): ValidateSettings {
  const paths = reader.positionals;
  if (paths.length === 0)
    reader.problems.push('validate: name the directory or the files to check: postern validate DIR');
  return {
    command: 'validate',
    paths,
    output: reader.value('output', values.oneOf('text', 'json'), 'text'),
    class: reader.value('class', values.className, DEFAULT_CLASS),
    external: readExternal(reader, 'http', 8080),
    identityHeaders: reader.value('identity-headers', values.headerNames, []),
    colour: output.colour,
  };
}
