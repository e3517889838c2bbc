import { describe, expect, it } from "vitest";
import { clusterPicture } from "../../cli/cluster-picture.ts";
import { planOf } from "../helpers/cluster.ts";

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

function boxes(drawing: string): Box[] {
  return [...drawing.matchAll(/<rect class="[a-z]+" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/g)].map(
    ([, x, y, width, height]) => ({
      x: Number(x),
      y: Number(y),
      width: Number(width),
      height: Number(height),
    }),
  );
}

const inside = (a: Box, b: Box) =>
  a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;
const apart = (a: Box, b: Box) =>
  a.x + a.width < b.x || b.x + b.width < a.x || a.y + a.height < b.y || b.y + b.height < a.y;

function planWith(workers: number) {
  const names = Array.from({ length: workers }, (_, index) => [
    `worker-${index + 1}`,
    { role: "worker", slot: 11 + index },
  ]);
  return planOf({
    nodes: { "cp-1": { role: "control-plane", slot: 10 }, ...(Object.fromEntries(names) as object) },
  });
}

describe("the drawing", () => {
  it.each([0, 1, 2, 3, 49, 180])("with %i workers has all nodes and routes, none over another", (workers) => {
    const plan = planWith(workers);
    const drawing = clusterPicture(plan);
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(drawing)!;
    const [external, router, network, ...nodes] = boxes(drawing);
    const picture = { x: 0, y: 0, width: Number(width), height: Number(height) };
    for (const box of [external!, router!, network!]) expect(inside(box, picture)).toBe(true);
    expect([apart(external!, router!), apart(router!, network!)]).toEqual([true, true]);

    // A node's box is followed by that of its pods.
    const cards = nodes.filter((_, index) => index % 2 === 0);
    expect(cards).toHaveLength(plan.nodes.length);
    for (const [index, card] of cards.entries()) {
      expect(inside(card, network!)).toBe(true);
      expect(inside(nodes[2 * index + 1]!, card)).toBe(true);
      for (const other of cards.slice(index + 1)) expect(apart(card, other)).toBe(true);
    }
    const routes = [
      ...drawing.matchAll(/<text class="address start" x="(\d+)" y="(\d+)">([\d./]+ → [\d.]+)</g),
    ];
    expect(routes.map(([, , , text]) => text)).toEqual(
      plan.nodes.map(({ podNetwork, address }) => `${podNetwork} → ${address}`),
    );
    for (const [, x, y] of routes) {
      expect(inside({ x: Number(x), y: Number(y), width: 262, height: 6 }, router!)).toBe(true);
    }
    for (const { name, address, podNetwork } of plan.nodes) {
      for (const text of [name, address, podNetwork]) expect(drawing).toContain(`>${text}</text>`);
    }
  });

  it("has no routes where flannel leads to pods", () => {
    const drawing = clusterPicture(planOf({ network: { externalNetwork: "public", routing: "flannel" } }));
    expect(drawing).toContain(">no routes: flannel leads to pods</text>");
    expect(drawing).not.toMatch(/[0-9] → [0-9]/);
  });

  it("writes any name as text, and cuts what would not fit", () => {
    const drawing = clusterPicture(
      planOf({ network: { externalNetwork: 'a <b> & "c" of a provider with a long name' } }),
    );
    expect(drawing).toContain('>external network a &lt;b&gt; &amp; "c" of a provider with a lo…</text>');
  });

  it("names an existing router, whose address no plan knows", () => {
    const existing = { network: "office", subnet: "office-a", router: "gate" };
    const drawing = clusterPicture(planOf({ network: { externalNetwork: "public", existing } }));
    expect(drawing).toContain(">router gate</text>");
    expect(drawing).not.toContain(">10.0.0.1</text>");
    expect(clusterPicture(planOf())).toContain(">10.0.0.1</text>");
  });

  it("is wide in proportion: at most twice as wide as high, for few nodes and for many", () => {
    for (const workers of [2, 49, 180]) {
      const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(clusterPicture(planWith(workers)))!;
      expect(Number(width) / Number(height)).toBeLessThan(2);
      expect(Number(width) / Number(height)).toBeGreaterThan(0.5);
    }
  });
});
