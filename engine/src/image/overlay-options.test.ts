import { expect, test } from 'vitest';
import { overlayOptions } from './overlay-options.ts';

const layers = (count: number) =>
  Array.from({ length: count }, (_each, index) => `/var/lib/drydock/overlay/l/layer${index}`);
const writable = { upper: '/w/a,b/upper', work: '/w/a:b/work' };

test('characters that overlayfs splits at are escaped', () => {
  expect(overlayOptions({ kind: 'overlay', lower: ['/l/a:b', '/l/c'], writable, options: ['volatile'] })).toEqual({
    directory: null,
    options: String.raw`lowerdir=/l/a\:b:/l/c,upperdir=/w/a\,b/upper,workdir=/w/a\:b/work,volatile`,
  });
});

test('many layers are named from the directory that holds them', () => {
  const lower = [...layers(125), '/var/lib/drydock/overlay/empty'];
  const { directory, options } = overlayOptions({ kind: 'overlay', lower, writable, options: [] });
  expect(directory).toBe('/var/lib/drydock/overlay/l');
  expect(options.length).toBeLessThan(4096);
  expect(options).toMatch(/^lowerdir=layer0:layer1:.*:layer124:\.\.\/empty,upperdir=\/w\//);
});
