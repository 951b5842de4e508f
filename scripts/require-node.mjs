// Loaded before everything else (node --import), also by versions of Node that can't run the rest: plain and old-fashioned
// JavaScript, that says what is missing instead of a syntax error somewhere in TypeScript.
var NEEDED = [22, 19];
var found = process.versions.node.split('.').map(Number);

if (found[0] < NEEDED[0] || (found[0] === NEEDED[0] && found[1] < NEEDED[1])) {
  console.error(
    'Postern needs Node.js ' +
      NEEDED.join('.') +
      ' or newer, and this is ' +
      process.version +
      ' (' +
      process.execPath +
      ').\n' +
      'In a checkout, a fitting one comes with npm, as the package "node"; its install script did not run. Run:\n' +
      '  npm rebuild node --ignore-scripts=false\n' +
      'and start again with npm run.',
  );
  process.exit(1);
}
