import { expect, it } from 'vitest';
import { formatDeb822, ownSources, parseDeb822, parseOneLine } from './apt-sources.mjs';

it('reads the notation of one line each, with and without options', () => {
  const text = `
# deb http://mirror.example/debian old main
deb http://mirror.example/debian bookworm main contrib # a note
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] http://vendor.example/apt bookworm stable
`;
  expect(parseOneLine(text)).toEqual([
    { uri: 'http://mirror.example/debian', suite: 'bookworm', components: ['main', 'contrib'], signedBy: null },
    {
      uri: 'http://vendor.example/apt',
      suite: 'bookworm',
      components: ['stable'],
      signedBy: '/usr/share/keyrings/a.gpg',
    },
  ]);
});

it('reads deb822: several suites, a key within, a paragraph switched off', () => {
  const text = `# the distribution's
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Enabled: no
`;
  const sources = parseDeb822(text);
  expect(sources.map((source) => source.suite)).toEqual(['bookworm', 'bookworm-updates']);
  expect(sources[0]?.signedBy).toBe('\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc');
});

it('picks the release’s own suites and free components, no other vendor’s', () => {
  const source = (suite: string, ...components: string[]) => ({
    uri: 'http://m.example',
    suite,
    components,
    signedBy: null,
  });
  const own = ownSources(
    [
      source('bookworm', 'main', 'non-free'),
      source('bookworm-security', 'main'),
      source('bookworm', 'stable'),
      source('bookworm-vendor', 'main'),
      source('nodistro', 'main'),
    ],
    'bookworm',
  );
  expect(own.map((s) => `${s.suite} ${s.components.join(' ')}`)).toEqual(['bookworm main', 'bookworm-security main']);
});

it('writes what it reads', () => {
  const sources = [{ uri: 'http://m.example/d', suite: 'trixie', components: ['main'], signedBy: '/k.gpg' }];
  expect(parseDeb822(formatDeb822(sources))).toEqual(sources);
});
