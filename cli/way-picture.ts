import type { Station, Stretch, Way } from "./packet-ways.ts";
import { escape, style } from "./picture.ts";

// Lengths are in the picture's own units, which are pixels at its natural size.
const width = 1000;
const margin = 16;
const padding = 10;
const stationWidth = 106;
const top = { group: 16, station: 46, note: 122 };
const stationHeight = 54;
const groupHeight = 172;
const request = 222;
const answer = 296;
const stretchHeight = 44;
const height = answer + stretchHeight + margin;
const lineHeight = 17;

/** An SVG of a way: its stations from left to right, below them the packet's addresses on each stretch. */
export function wayPicture({ title, stations, request: there, answer: back }: Way): string {
  const parts = [
    ...groups(stations),
    ...stations.slice(1).map((_, index) => arrow(centre(stations, index), centre(stations, index + 1))),
    ...stations.flatMap((station, index) => drawn(station, centre(stations, index))),
    ...legend("addresses of the packet", request),
    ...there.flatMap((stretch) => strip("request", stretch, stations, request)),
    ...legend("addresses of its answer", answer),
    ...back.flatMap((stretch) => strip("answer", stretch, stations, answer)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
  <title id="title">${escape(title)}</title>
  <style>${style}
  </style>
  <rect class="sheet" width="${width}" height="${height}" rx="8"/>
  ${parts.join("\n  ")}
</svg>
`;
}

/** The middle of a station; all are equally far from each other. */
function centre(stations: Station[], index: number): number {
  const first = margin + padding + stationWidth / 2;
  return Math.round(first + (index * (width - 2 * first)) / (stations.length - 1));
}

/** A frame around the stations of each machine. */
function groups(stations: Station[]): string[] {
  const isFirst = (index: number) => stations[index - 1]?.place !== stations[index]!.place;
  return stations.flatMap((station, index) => {
    if (!isFirst(index)) return [];
    let last = index;
    while (last + 1 < stations.length && !isFirst(last + 1)) last += 1;
    const left = centre(stations, index) - stationWidth / 2 - padding;
    const right = centre(stations, last) + stationWidth / 2 + padding;
    return [
      `<rect class="group" x="${left}" y="${top.group}" width="${right - left}" height="${groupHeight}" rx="6"/>`,
      `<text class="quiet" x="${(left + right) / 2}" y="${top.group + 20}">${escape(station.place)}</text>`,
    ];
  });
}

function drawn({ kind, name, address, notes }: Station, x: number): string[] {
  const y = top.station;
  return [
    `<rect class="${kind}" x="${x - stationWidth / 2}" y="${y}" width="${stationWidth}" height="${stationHeight}" rx="6"/>`,
    `<text class="name" x="${x}" y="${y + 23}">${escape(name)}</text>`,
    `<text class="address" x="${x}" y="${y + 42}">${escape(address)}</text>`,
    ...notes.map(
      (note, line) =>
        `<text class="note" x="${x}" y="${top.note + line * lineHeight}">${escape(note)}</text>`,
    ),
  ];
}

function arrow(from: number, to: number): string {
  const y = top.station + stationHeight / 2;
  const start = from + stationWidth / 2;
  const end = to - stationWidth / 2;
  return (
    `<path class="arrow" d="M${start} ${y}H${end - 8}"/>` +
    `<path class="head" d="M${end - 1} ${y}l-9 -5v10z"/>`
  );
}

/** Baselines of a stretch's two lines: where from, where to. */
const baselines = (y: number) => [y + stretchHeight / 2 - 5, y + stretchHeight / 2 + 13] as const;

function legend(caption: string, y: number): string[] {
  const [from, to] = baselines(y);
  return [
    `<text class="quiet start" x="${margin}" y="${y - 10}">${caption}</text>`,
    `<text class="quiet start" x="${margin}" y="${from}">from</text>`,
    `<text class="quiet start" x="${margin}" y="${to}">to</text>`,
  ];
}

/** A stretch as a broad arrow between the middles of its first and last station. */
function strip(
  kind: "request" | "answer",
  { begin, end, source, destination }: Stretch,
  stations: Station[],
  y: number,
): string[] {
  const direction = Math.sign(end - begin);
  const start = centre(stations, begin) + direction * 3;
  const tip = centre(stations, end) - direction * 3;
  const neck = tip - direction * 10;
  const bottom = y + stretchHeight;
  const x = (start + neck) / 2;
  const [from, to] = baselines(y);
  return [
    `<path class="${kind}" d="M${start} ${y}H${neck}L${tip} ${y + stretchHeight / 2}L${neck} ${bottom}H${start}z"/>`,
    `<text class="address" x="${x}" y="${from}">${escape(source)}</text>`,
    `<text class="address" x="${x}" y="${to}">${escape(destination)}</text>`,
  ];
}
