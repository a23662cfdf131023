/** How charts are drawn, in Primer's colours: they follow the scheme, by day and by night. */

const SMALL = { fill: "var(--fgColor-muted)", fontSize: 12 };

export const AXIS = {
  tick: SMALL,
  tickLine: false,
  axisLine: { stroke: "var(--borderColor-default)" },
} as const;

export const GRID = { stroke: "var(--borderColor-muted)" } as const;

export const TIP = {
  contentStyle: {
    background: "var(--overlay-bgColor)",
    border: "1px solid var(--borderColor-default)",
    borderRadius: "var(--borderRadius-medium)",
    color: "var(--fgColor-default)",
    fontSize: 12,
  },
  itemStyle: { color: "var(--fgColor-default)" },
  labelStyle: { color: "var(--fgColor-muted)" },
  cursor: { stroke: "var(--borderColor-emphasis)", fill: "var(--bgColor-neutral-muted)" },
} as const;
