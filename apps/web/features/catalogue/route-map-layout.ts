// Where the tracks lie on the route map. Pure geometry: length is time, one scale for the whole sheet.
// The places are the drawing's own (dock, hull, water); what stands in them comes from the data.
import type { CatalogueTrack } from '@drydock/protocol/pages.ts';

export const MAP = { width: 1384, height: 400, gateX: 890, floorY: 392 } as const;
const ROW = { top: 96, main: 214, bottom: 332 } as const;
const LABEL_PX = 6.8;

/** A track's line: begins at its first lesson, ends where its last lesson ends. */
export interface Line {
  track: CatalogueTrack;
  x: number;
  y: number;
  endX: number;
  /** x of each lesson's station; the next one, or endX, is where it ends. */
  stations: number[];
}

export interface RouteMap {
  pxPerMinute: number;
  lines: Line[];
  /** Dashed "leads to" paths. */
  links: string[];
}

/** Chains of tracks that share a row, in the order they are walked. The capstone stands in the hull. */
const CHAINS = {
  main: ['A', 'B', 'D'],
  top: ['C'],
  bottom: ['E'],
  hull: ['capstone'],
  afloatTop: ['F'],
  afloatMain: ['G'],
  afloatBottom: ['H', 'I'],
} as const;

const minutes = (track: CatalogueTrack) => track.lessons.reduce((sum, lesson) => sum + lesson.minutes, 0);

/** Space a track takes: its line, or its label when that is longer (about `labelPx` wide), and a gap. */
const widthOf = (track: CatalogueTrack, scale: number, gap: number) =>
  Math.max(minutes(track) * scale + gap, labelWidth(track));

function labelWidth(track: CatalogueTrack): number {
  return (
    Math.max(track.title.en.length * 8.6, `${track.lessons.length} lessons, ${minutes(track)} min`.length * LABEL_PX) +
    18
  );
}

/** Lays the tracks out; a track of another id than the curriculum's is left to the list below the map. */
export function layoutRouteMap(tracks: readonly CatalogueTrack[]): RouteMap {
  const byId = new Map(tracks.map((track) => [track.id, track]));
  const chain = (name: keyof typeof CHAINS) =>
    CHAINS[name].flatMap((id) => {
      const track = byId.get(id);
      return track ? [track] : [];
    });
  const scale = scaleFor([
    { tracks: chain('main'), room: 596 },
    { tracks: chain('top'), room: 300 },
    { tracks: chain('bottom'), room: 330 },
    { tracks: chain('hull'), room: 158 },
    { tracks: chain('afloatTop'), room: 390 },
    { tracks: chain('afloatMain'), room: 390 },
    { tracks: chain('afloatBottom'), room: 390 },
  ]);
  const lines: Line[] = [];
  const place = (chainTracks: CatalogueTrack[], x: number, y: number) => {
    let at = x;
    for (const track of chainTracks) {
      const line = lineOf(track, at, y, scale);
      lines.push(line);
      at = x + (line.x - x) + widthOf(track, scale, 44);
    }
  };
  place(chain('main'), 64, ROW.main);
  const trunk = lines.find((line) => line.track.id === 'B') ?? lines[0];
  const branchX = trunk ? trunk.x + (trunk.endX - trunk.x) * 0.42 : 200;
  place(chain('top'), branchX + 96, ROW.top);
  place(chain('bottom'), branchX + 96, ROW.bottom);
  place(chain('hull'), 702, ROW.main);
  place(chain('afloatTop'), 950, ROW.top);
  place(chain('afloatMain'), 950, ROW.main);
  place(chain('afloatBottom'), 950, ROW.bottom);
  return { pxPerMinute: scale, lines, links: linksOf(lines, branchX) };
}

/** Two pixels a minute, or less where a row would not fit. */
function scaleFor(rows: { tracks: CatalogueTrack[]; room: number }[]): number {
  let scale = 2;
  for (const { tracks, room } of rows) {
    const total = tracks.reduce((sum, track) => sum + minutes(track), 0);
    const gaps = 44 * Math.max(0, tracks.length - 1);
    if (total > 0) scale = Math.min(scale, (room - gaps) / total);
  }
  return Math.max(0.5, Math.floor(scale * 20) / 20);
}

function lineOf(track: CatalogueTrack, x: number, y: number, scale: number): Line {
  const stations: number[] = [];
  let at = x;
  for (const lesson of track.lessons) {
    stations.push(at);
    at += lesson.minutes * scale;
  }
  return { track, x, y, endX: at, stations };
}

function linksOf(lines: Line[], branchX: number): string[] {
  const of = (id: string) => lines.find((line) => line.track.id === id);
  const main = ['A', 'B', 'D'].flatMap((id) => of(id) ?? []);
  const links: string[] = [];
  main.forEach((line, index) => {
    const next = main[index + 1];
    if (next) links.push(`M${line.endX} ${ROW.main}H${next.x}`);
  });
  const last = main.at(-1);
  const hullX = 662;
  if (last) links.push(`M${last.endX} ${ROW.main}H${hullX}`);
  const top = of('C');
  if (top) {
    links.push(`M${branchX} ${ROW.main}V${ROW.top + 50}Q${branchX} ${ROW.top} ${branchX + 50} ${ROW.top}H${top.x}`);
    links.push(
      `M${top.endX} ${ROW.top}H590Q640 ${ROW.top} 640 ${ROW.top + 50}V${ROW.main - 50}Q640 ${ROW.main} ${hullX} ${ROW.main}`,
    );
  }
  const bottom = of('E');
  if (bottom) {
    links.push(
      `M${branchX} ${ROW.main}V${ROW.bottom - 50}Q${branchX} ${ROW.bottom} ${branchX + 50} ${ROW.bottom}H${bottom.x}`,
    );
    links.push(
      `M${bottom.endX} ${ROW.bottom}H${Math.max(bottom.endX, 596)}Q640 ${ROW.bottom} 640 ${ROW.bottom - 50}V${ROW.main + 50}Q640 ${ROW.main} ${hullX} ${ROW.main}`,
    );
  }
  const hull = of('capstone');
  const from = hull ? hull.endX : 872;
  if (of('G')) links.push(`M${from} ${ROW.main}H950`);
  if (of('F'))
    links.push(`M872 ${ROW.main}Q918 ${ROW.main} 918 ${ROW.main - 50}V${ROW.top + 40}Q918 ${ROW.top} 950 ${ROW.top}`);
  const h = of('H');
  if (h)
    links.push(
      `M872 ${ROW.main}Q918 ${ROW.main} 918 ${ROW.main + 50}V${ROW.bottom - 40}Q918 ${ROW.bottom} ${h.x} ${ROW.bottom}`,
    );
  const i = of('I');
  if (h && i) links.push(`M${h.endX} ${ROW.bottom}H${i.x}`);
  return links;
}
