// Loaded with `node --import` before anything else, in plain JavaScript, so that an old Node.js can still say what is wrong.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`Postern needs Node.js 22.19 or newer, and this is ${process.versions.node} (${process.execPath}).

\`npm ci\` brings a newer one along: the package "node", which is first on PATH inside npm scripts. Either this was not
started by an npm script (use \`npm run demo\`), or npm was told to skip install scripts and that package is not complete.
Then run

  npm rebuild node --ignore-scripts=false

or put a newer Node.js on your PATH.`);
  process.exit(1);
}
