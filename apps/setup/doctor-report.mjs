// What `npm run doctor` found, as a table and as a verdict. Pure.

/**
 * @typedef {object} Row
 * @property {string} section
 * @property {string} id
 * @property {'ok' | 'missing' | 'lax' | 'note'} state missing: the lab can't run; lax: it can, with less; note: worth knowing
 * @property {string} why what it is for, or what was found
 * @property {string} howToGet empty where there is nothing to do
 */

/** The lab can run when nothing it needs is missing. @param {Row[]} rows */
export function labCanRun(rows) {
  return rows.every(({ state }) => state !== 'missing');
}

const MARKS = { ok: '✓', missing: '✗', lax: '○', note: 'i' };

/**
 * The table: a section's name, then a line for each row and, below what is not as it should be, what to do.
 * @param {Row[]} rows
 */
export function formatReport(rows) {
  const width = Math.max(...rows.map(({ id }) => id.length));
  const lines = [];
  let section = '';
  for (const row of rows) {
    if (row.section !== section) {
      section = row.section;
      lines.push('', section);
    }
    lines.push(`  ${MARKS[row.state]} ${row.id.padEnd(width)}  ${row.why}`);
    if (row.state !== 'ok' && row.howToGet) lines.push(`    ${' '.repeat(width)}  → ${row.howToGet}`);
  }
  const missing = rows.filter(({ state }) => state === 'missing').length;
  const lax = rows.filter(({ state }) => state === 'lax').length;
  const without = lax > 0 ? ` ${lax} ${lax === 1 ? 'thing' : 'things'} marked ○ would make it better.` : '';
  lines.push(
    '',
    missing > 0
      ? `The lab can't run here: ${missing} ${missing === 1 ? 'thing' : 'things'} marked ✗ ${missing === 1 ? 'is' : 'are'} missing.`
      : `The lab can run here.${without}`,
  );
  return lines.slice(1).join('\n');
}
