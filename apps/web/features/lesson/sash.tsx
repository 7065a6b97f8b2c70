'use client';
// The line between Scope and workbench: dragged, or moved by arrow keys, Home and End. Its place is kept for the next visit.
import { useEffect, useRef, type KeyboardEvent, type PointerEvent } from 'react';
import styles from './sash.module.css';

const STEP_PERCENT = 4;
const LEAST = 20;
const MOST = 80;

export const clampShare = (percent: number) => Math.min(MOST, Math.max(LEAST, Math.round(percent)));

/** `share`: the workbench's part of the room in percent; null as long as the page's own measure holds. */
export function Sash({
  orientation,
  label,
  share,
  onShare,
}: {
  orientation: 'horizontal' | 'vertical';
  label: string;
  share: number | null;
  onShare: (share: number) => void;
}) {
  const ref = useRef<HTMLDivElement>(null);
  const measured = useRef(45);
  useEffect(() => {
    measured.current = shareNow(ref.current, orientation);
  });
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const element = event.currentTarget;
    const room = element.parentElement?.getBoundingClientRect();
    if (!room) return;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    const move = (moved: globalThis.PointerEvent) => {
      const part =
        orientation === 'horizontal'
          ? (room.bottom - moved.clientY) / room.height
          : (room.right - moved.clientX) / room.width;
      onShare(clampShare(part * 100));
    };
    const end = () => element.removeEventListener('pointermove', move);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', end, { once: true });
    element.addEventListener('pointercancel', end, { once: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const now = share ?? measured.current;
    const grow = orientation === 'horizontal' ? 'ArrowUp' : 'ArrowLeft';
    const shrink = orientation === 'horizontal' ? 'ArrowDown' : 'ArrowRight';
    const next = { [grow]: now + STEP_PERCENT, [shrink]: now - STEP_PERCENT, Home: LEAST, End: MOST }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onShare(clampShare(next));
  };
  return (
    <div
      ref={ref}
      className={styles.sash}
      role="separator"
      tabIndex={0}
      aria-orientation={orientation}
      aria-label={label}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      aria-valuenow={share ?? 45}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}

function shareNow(element: HTMLElement | null, orientation: 'horizontal' | 'vertical'): number {
  const room = element?.parentElement?.getBoundingClientRect();
  const own = element?.getBoundingClientRect();
  if (!room || !own || room.height === 0 || room.width === 0) return 45;
  const part =
    orientation === 'horizontal' ? (room.bottom - own.bottom) / room.height : (room.right - own.right) / room.width;
  return clampShare(part * 100);
}
