// Is this Node new enough? Old Node must be able to read this file and start.mjs, so both keep to the plainest syntax.

var NEEDED_MAJOR = 20;
var NEEDED_MINOR = 19;

/**
 * null when `version` will do, else the sentence to print.
 * @param {string} version as process.version has it @param {string} path of the node program
 * @returns {string | null}
 */
export function nodeVersionProblem(version, path) {
  var parts = version.replace(/^v/, '').split('.').map(Number);
  var major = parts[0] || 0;
  var minor = parts[1] || 0;
  if (major > NEEDED_MAJOR || (major === NEEDED_MAJOR && minor >= NEEDED_MINOR)) return null;
  return (
    'Drydock needs Node ' +
    NEEDED_MAJOR +
    '.' +
    NEEDED_MINOR +
    ' or newer, and this is ' +
    version +
    ' (' +
    path +
    '). Install a newer one and run the command again; docker-free-setup.md, "Node", says how on each distribution.'
  );
}
