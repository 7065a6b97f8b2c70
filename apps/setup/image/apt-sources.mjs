// Reads the machine's apt sources, both notations (sources.list(5)), and picks those of its own release. Pure.

/**
 * @typedef {object} AptSource
 * @property {string} uri
 * @property {string} suite
 * @property {string[]} components
 * @property {string | null} signedBy path of a keyring, or the key itself in deb822 notation
 */

/** The notation of one line each: deb [options] uri suite components. @param {string} text @returns {AptSource[]} */
export function parseOneLine(text) {
  /** @type {AptSource[]} */
  const sources = [];
  for (const line of text.split('\n')) {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line.trim());
    if (!match) continue;
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1] ?? null;
    sources.push({ uri, suite, components: components.trim().split(/\s+/), signedBy });
  }
  return sources;
}

/** The deb822 notation: paragraphs of fields. @param {string} text @returns {AptSource[]} */
export function parseDeb822(text) {
  /** @type {AptSource[]} */
  const sources = [];
  for (const paragraph of text.split(/\n\s*\n/)) {
    /** @type {Map<string, string>} */
    const fields = new Map();
    let last = '';
    for (const line of paragraph.split('\n')) {
      if (line.startsWith('#')) continue;
      const field = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
      if (field) {
        last = (field[1] ?? '').toLowerCase();
        fields.set(last, field[2] ?? '');
      } else if (/^\s/.test(line) && last) {
        fields.set(last, `${fields.get(last)}\n${line}`);
      }
    }
    /** @param {string} name */
    const words = (name) => (fields.get(name) ?? '').split(/\s+/).filter(Boolean);
    if (!words('types').includes('deb') || fields.get('enabled')?.trim().toLowerCase() === 'no') continue;
    const signedBy = fields.get('signed-by')?.trimEnd() || null;
    for (const uri of words('uris'))
      for (const suite of words('suites')) sources.push({ uri, suite, components: words('components'), signedBy });
  }
  return sources;
}

/**
 * Those of the release itself and its updates; other vendors' sources are left out.
 * @param {AptSource[]} sources @param {string} codename such as "bookworm"
 */
export function ownSources(sources, codename) {
  const suites = new Set(['', '-updates', '-security', '/updates'].map((end) => codename + end));
  return sources
    .filter((source) => suites.has(source.suite) && source.components.includes('main'))
    .map((source) => ({
      ...source,
      components: source.components.filter((name) => name === 'main' || name === 'universe'),
    }));
}

/** @param {AptSource[]} sources @returns {string} a deb822 file */
export function formatDeb822(sources) {
  return sources
    .map((source) =>
      [
        'Types: deb',
        `URIs: ${source.uri}`,
        `Suites: ${source.suite}`,
        `Components: ${source.components.join(' ')}`,
        ...(source.signedBy ? [`Signed-By: ${source.signedBy}`] : []),
        '',
      ].join('\n'),
    )
    .join('\n');
}
