/** What the pictures have in common: light colours, and in their place the dark ones where the reader's screen is dark. */
export const style = `
    text { font: 13px system-ui, "Helvetica Neue", Arial, sans-serif; fill: #1f2328; text-anchor: middle }
    .start { text-anchor: start }
    .name { font-weight: 600 }
    .address { font: 12px ui-monospace, Menlo, Consolas, monospace }
    .note { font-size: 12px }
    .quiet { fill: #59636e; font-size: 12px }
    .sheet { fill: #ffffff }
    .group { fill: #f6f8fa; stroke: #d1d9e0 }
    .node { fill: #ffffff; stroke: #818b98 }
    .pod { fill: #ddf4ff; stroke: #0969da }
    .router { fill: #fff1e5; stroke: #bc4c00 }
    .outside { fill: #fbefff; stroke: #8250df }
    .arrow { stroke: #59636e; stroke-width: 1.5; fill: none }
    .head { fill: #59636e }
    .request { fill: #ddf4ff; stroke: #0969da }
    .answer { fill: #dafbe1; stroke: #1a7f37 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .quiet { fill: #9198a1 }
      .sheet { fill: #0d1117 }
      .group { fill: #151b23; stroke: #3d444d }
      .node { fill: #0d1117; stroke: #656c76 }
      .pod { fill: #0c2d6b; stroke: #4493f8 }
      .router { fill: #5a1e02; stroke: #db6d28 }
      .outside { fill: #3c1e70; stroke: #ab7df8 }
      .arrow { stroke: #9198a1 }
      .head { fill: #9198a1 }
      .request { fill: #0c2d6b; stroke: #4493f8 }
      .answer { fill: #04260f; stroke: #3fb950 }
    }`;

/** A text as content of an SVG. */
export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
