// Moving about on the sheet: drag with the mouse, scroll, Shift and arrow keys. Never scales.
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';

const STRIP_PX = 240;

export interface Viewport {
  width: number;
  height: number;
  /** The strip of the sheet that is drawn: what can be seen and a margin, in steps so that it changes rarely. */
  top: number;
  bottom: number;
}

export function usePan(pane: RefObject<HTMLDivElement | null>): {
  viewport: Viewport;
  onPointerDown: (event: React.PointerEvent<HTMLDivElement>) => void;
  onScroll: () => void;
  pan: (dx: number, dy: number) => void;
  reveal: (box: { x: number; y: number; width: number; height: number }) => void;
} {
  const [viewport, setViewport] = useState<Viewport>({ width: 0, height: 0, top: 0, bottom: 0 });
  const measure = useCallback(() => {
    const element = pane.current;
    if (!element) return;
    const { clientWidth: width, clientHeight: height, scrollTop } = element;
    const top = Math.floor((scrollTop - STRIP_PX) / STRIP_PX) * STRIP_PX;
    const bottom = Math.ceil((scrollTop + height + STRIP_PX) / STRIP_PX) * STRIP_PX;
    setViewport((old) =>
      old.width === width && old.height === height && old.top === top && old.bottom === bottom
        ? old
        : { width, height, top, bottom },
    );
  }, [pane]);
  const frame = useRef(0);
  useEffect(() => {
    const element = pane.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame.current);
    };
  }, [measure, pane]);

  const onPointerDown = (event: React.PointerEvent<HTMLDivElement>) => {
    const element = event.currentTarget;
    if (event.button !== 0 || event.pointerType !== 'mouse') return;
    if (event.target instanceof Element && event.target.closest('[data-key]')) return;
    // On the scroll bar itself the browser drags.
    if (event.nativeEvent.offsetX > element.clientWidth + element.scrollLeft) return;
    const start = { x: event.clientX + element.scrollLeft, y: event.clientY + element.scrollTop };
    element.dataset['dragging'] = '';
    element.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent) => {
      element.scrollLeft = start.x - moved.clientX;
      element.scrollTop = start.y - moved.clientY;
    };
    const end = () => {
      delete element.dataset['dragging'];
      element.removeEventListener('pointermove', move);
    };
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', end, { once: true });
    element.addEventListener('pointercancel', end, { once: true });
  };
  const onScroll = () => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(measure);
  };
  const pan = (dx: number, dy: number) => pane.current?.scrollBy({ left: dx, top: dy });
  const reveal = useCallback(
    (box: { x: number; y: number; width: number; height: number }) => {
      const element = pane.current;
      if (!element) return;
      const { scrollLeft, scrollTop, clientWidth, clientHeight } = element;
      const edge = 24;
      let left = scrollLeft;
      let top = scrollTop;
      if (box.x + box.width + edge > left + clientWidth) left = box.x + box.width + edge - clientWidth;
      if (box.x - edge < left) left = box.x - edge;
      if (box.y + box.height + edge > top + clientHeight) top = box.y + box.height + edge - clientHeight;
      if (box.y - edge < top) top = box.y - edge;
      if (left !== scrollLeft || top !== scrollTop) element.scrollTo({ left, top });
    },
    [pane],
  );
  return { viewport, onPointerDown, onScroll, pan, reveal };
}
