// How a sign of the sprite is put on a page: icon, namespace glyph, mark. Always decoration: words stand beside it.
import type { NamespaceType } from '@drydock/protocol/observed.ts';
import type { IconName } from './sprite.tsx';

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="i" viewBox="0 0 16 16" aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  );
}

/** Glyph of a namespace type: filled when it is the process's own, outline when shared. x and y place it inside a drawing. */
export function Glyph({
  type,
  own,
  x,
  y,
  size = 18,
}: {
  type: NamespaceType;
  own: boolean;
  x?: number;
  y?: number;
  size?: number;
}) {
  return (
    <svg
      className={`g ${type}${own ? ' own' : ''}`}
      viewBox="0 0 18 18"
      x={x}
      y={y}
      width={size}
      height={size}
      style={{ width: size, height: size }}
      aria-hidden="true"
    >
      <use href={`#ns-${type}`} />
    </svg>
  );
}

export function Mark() {
  return (
    <svg width="28" height="28" viewBox="0 0 28 28" aria-hidden="true">
      <use href="#mark" />
    </svg>
  );
}
