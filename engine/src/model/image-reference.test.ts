import { expect, test } from 'vitest';
import { canonicalName, completed, familiarName, parseReference, withTag } from './image-reference.ts';

const HEX = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

test.each([
  ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
  ['library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['index.docker.io/you/app', 'docker.io/you/app:latest', 'you/app:latest'],
  ['you/app', 'docker.io/you/app:latest', 'you/app:latest'],
  ['library/distros/ubuntu', 'docker.io/library/distros/ubuntu:latest', 'library/distros/ubuntu:latest'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/app', 'localhost:5000/app:latest', 'localhost:5000/app:latest'],
  ['127.0.0.1:5000/a/b/c:v1', '127.0.0.1:5000/a/b/c:v1', '127.0.0.1:5000/a/b/c:v1'],
  ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
  ['[2001:db8::1]/app', '[2001:db8::1]/app:latest', '[2001:db8::1]/app:latest'],
  ['registry.example/x', 'registry.example/x:latest', 'registry.example/x:latest'],
  ['HOST/app', 'HOST/app:latest', 'HOST/app:latest'],
  ['a--b__c.d_e', 'docker.io/library/a--b__c.d_e:latest', 'a--b__c.d_e:latest'],
  [`busybox@sha256:${HEX}`, `docker.io/library/busybox@sha256:${HEX}`, `busybox@sha256:${HEX}`],
  [`busybox:1@sha256:${HEX}`, `docker.io/library/busybox@sha256:${HEX}`, `busybox@sha256:${HEX}`],
  ['a_b.c/x', 'a_b.c/x:latest', 'a_b.c/x:latest'],
  ['a:b_C.d-e', 'docker.io/library/a:b_C.d-e', 'a:b_C.d-e'],
])('%s is %s', (text, canonical, familiar) => {
  const reference = completed(parseReference(text));
  expect(canonicalName(reference)).toBe(canonical);
  expect(familiarName(reference)).toBe(familiar);
  expect(canonicalName(completed(parseReference(familiar)))).toBe(canonical);
});

test('a name without a tag stays without one until it is completed', () => {
  expect(parseReference('busybox')).toEqual({ domain: 'docker.io', path: 'library/busybox' });
});

test.each([
  ['', 'invalid reference format'],
  [' ', 'invalid reference format'],
  ['-busybox', 'invalid reference format'],
  ['busybox:', 'invalid reference format'],
  ['busybox:-x', 'invalid reference format'],
  [`busybox:${'a'.repeat(129)}`, 'invalid reference format'],
  ['busybox@', 'invalid reference format'],
  ['busybox@sha256:abc', 'invalid reference format'],
  ['a//b', 'invalid reference format'],
  ['a/', 'invalid reference format'],
  ['/a', 'invalid reference format'],
  ['a___b', 'invalid reference format'],
  ['a..b', 'invalid reference format'],
  ['../etc/passwd', 'invalid reference format'],
  ['localhost:x/app', 'invalid reference format'],
  ['https://registry.example/app', 'invalid reference format'],
  ['Busybox', 'invalid reference format: repository name (library/Busybox) must be lowercase'],
  ['you/App:v1', 'invalid reference format: repository name (you/App) must be lowercase'],
  [HEX, `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`],
  ['x'.repeat(256), 'repository name must not be more than 255 characters'],
  [`${'a-'.repeat(40_000)}!`, 'invalid reference format'],
  [`busybox@sha256:${HEX}ff`, 'invalid checksum digest length'],
  [`busybox@md5:${HEX.slice(32)}`, 'unsupported digest algorithm'],
])('%.40j is refused', (text, message) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ kind: 'invalid_argument', message }));
});

test('a tag replaces tag and digest', () => {
  expect(familiarName(withTag(parseReference(`busybox:1@sha256:${HEX}`), 'v2'))).toBe('busybox:v2');
  expect(() => withTag(parseReference('busybox'), 'a b')).toThrow('invalid tag format');
});
