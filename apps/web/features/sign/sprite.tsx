// Every drawn sign of the app, once per page: the mark, the eight namespace glyphs, the 16 px icons. Referred to with <use>.

const ICONS = {
  play: <path d="M4.5 3v10l8-5z" fill="currentColor" stroke="none" />,
  copy: <path d="M5.5 5.5h8v8h-8zM10.5 3V2.5h-8v8H3" />,
  reset: <path d="M3.2 8a4.8 4.8 0 1 0 1.5-3.5L3 6.2M3 2.7v3.5h3.5" />,
  check: <path d="m3 8.5 3.3 3.3L13 5" strokeWidth="2" />,
  cross: <path d="m4 4 8 8M12 4l-8 8" strokeWidth="2" />,
  ring: <circle cx="8" cy="8" r="4.6" />,
  prev: <path d="M10 3 5 8l5 5" />,
  next: <path d="m6 3 5 5-5 5" />,
  up: <path d="M3.5 10 8 5.5l4.5 4.5" />,
  down: <path d="m3.5 6 4.5 4.5L12.5 6" />,
  plus: <path d="M8 3v10M3 8h10" />,
  term: <path d="M1.8 3h12.4v10H1.8zM4.5 6.2 6.5 8l-2 1.8M8.2 10h3" />,
  file: <path d="M3.5 1.8h6l3 3v9.4h-9zM9.5 1.8v3h3M6 8h4M6 10.7h4" />,
  menu: <path d="M2 4h12M2 8h12M2 12h12" />,
  book: <path d="M2.5 2.5h11v11h-11zM5 5.5h6M5 8h6M5 10.5h3.5" />,
  scope: <path d="M8 1.5v3M8 4.5h-5v3M8 4.5h5v3M1.5 7.5h3v3h-3zM11.5 7.5h3v3h-3zM13 10.5v2.5H9M6 11.5h3v3H6z" />,
  lock: <path d="M3 7.5h10V14H3zM5 7.5V5a3 3 0 0 1 6 0v2.5" />,
  search: <path d="M10.5 10.5 14 14M11.5 7a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0z" />,
  reader: <path d="M1.5 6v4h2.5l4 3.2V2.8L4 6zM10.5 5.5a3.5 3.5 0 0 1 0 5M12.5 3.5a6.4 6.4 0 0 1 0 9" />,
  warn: <path d="M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.4v.4" />,
  print: <path d="M4.5 6V2.5h7V6M4.5 11.5h-3V6h13v5.5h-3M4.5 9.5h7v4h-7z" />,
  flag: (
    <>
      <path d="M3.5 1.5v13" />
      <path d="M3.5 2.5h9l-2.5 3 2.5 3h-9z" fill="currentColor" />
    </>
  ),
  sun: (
    <path d="M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13" />
  ),
  moon: <path d="M13.2 9.8A5.7 5.7 0 0 1 6.2 2.8a5.7 5.7 0 1 0 7 7z" />,
  system: (
    <>
      <circle cx="8" cy="8" r="5.6" />
      <path d="M8 2.4a5.6 5.6 0 0 1 0 11.2z" fill="currentColor" stroke="none" />
    </>
  ),
} as const;

export type IconName = keyof typeof ICONS;

/** The symbols themselves; stands once in the layout. */
export function Sprite() {
  return (
    <svg width="0" height="0" style={{ position: 'absolute' }} aria-hidden="true" focusable="false">
      <defs>
        <symbol id="mark" viewBox="0 0 28 28">
          <path d="M1.5 5.5h4.2v6.6h2.6v12.4h11.4V12.1h2.6V5.5h4.2" fill="none" stroke="var(--ink)" strokeWidth="2" />
          <path
            d="M10.6 3.2v8.6c0 4.6 1.4 7.2 3.4 8.2 2-1 3.4-3.6 3.4-8.2V3.2z"
            fill="var(--raised)"
            stroke="var(--ink)"
            strokeWidth="1.5"
            strokeLinejoin="round"
          />
          <path d="M10.9 12.2h6.2c-.2 4-1.4 6.2-3.1 7.1-1.7-.9-2.9-3.1-3.1-7.1z" fill="var(--now)" />
          <path d="M12.6 21.2h2.8v2.6h-2.8z" fill="var(--ink)" />
        </symbol>
        <symbol id="ns-pid" viewBox="0 0 18 18">
          <circle cx="9" cy="9" r="7.7" />
          <text x="9" y="12.7">
            P
          </text>
        </symbol>
        <symbol id="ns-mnt" viewBox="0 0 18 18">
          <rect x="1.8" y="1.8" width="14.4" height="14.4" />
          <text x="9" y="12.7">
            M
          </text>
        </symbol>
        <symbol id="ns-net" viewBox="0 0 18 18">
          <path d="M5 1.9h8L17.2 9 13 16.1H5L.8 9z" />
          <text x="9" y="12.7">
            N
          </text>
        </symbol>
        <symbol id="ns-uts" viewBox="0 0 18 18">
          <path d="M9 .5 17.5 9 9 17.5.5 9z" />
          <text x="9" y="12.5">
            H
          </text>
        </symbol>
        <symbol id="ns-ipc" viewBox="0 0 18 18">
          <path d="M5.2 2.3h12.2l-4.6 13.4H.6z" />
          <text x="9" y="12.7">
            I
          </text>
        </symbol>
        <symbol id="ns-user" viewBox="0 0 18 18">
          <path d="M1.9 1.7h14.2v9.1L9 17 1.9 10.8z" />
          <text x="9" y="11.7">
            U
          </text>
        </symbol>
        <symbol id="ns-cgroup" viewBox="0 0 18 18">
          <path d="M4.7 2.3h8.6l4.1 13.6H.6z" />
          <text x="9" y="13.2">
            C
          </text>
        </symbol>
        <symbol id="ns-time" viewBox="0 0 18 18">
          <path d="M1.3 2.3h9.9L17.4 9l-6.2 6.7H1.3z" />
          <text x="7.6" y="12.7">
            T
          </text>
        </symbol>
        {Object.entries(ICONS).map(([name, drawing]) => (
          <symbol key={name} id={`i-${name}`} viewBox="0 0 16 16">
            {drawing}
          </symbol>
        ))}
        <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path d="M0 0v7" stroke="var(--line-strong)" strokeWidth=".75" />
        </pattern>
      </defs>
    </svg>
  );
}
