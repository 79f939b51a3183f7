// The plot as a file, made in the page: what is seen, the marks at the key budget included.

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Bytes of a data: address; the page may not fetch one. */
function bytesOf(address) {
  const [head, body] = [address.slice(0, address.indexOf(",")), address.slice(address.indexOf(",") + 1)];
  return head.endsWith(";base64")
    ? Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0))
    : new TextEncoder().encode(decodeURIComponent(body));
}

/** Saves a plot as "png" or "svg"; `more` are traces beside its own, `told` is a line under it. */
export async function savePlot(Plotly, plot, format, { name, more, told, colours }) {
  const note = {
    text: told,
    xref: "paper",
    yref: "paper",
    x: 0,
    y: -0.15,
    xanchor: "left",
    yanchor: "top",
    showarrow: false,
    font: { size: 10, color: colours.muted },
  };
  const { width, height } = plot._fullLayout;
  const margin = { ...plot.layout.margin, b: 84 };
  const layout = {
    ...plot.layout,
    width,
    height: height + 32,
    margin,
    annotations: [note],
    paper_bgcolor: colours.background,
  };
  const address = await Plotly.toImage(
    { data: [...plot.data, ...more], layout },
    { format, width, height: height + 32, scale: format === "png" ? 3 : 1 },
  );
  save(`${name}.${format}`, new Blob([bytesOf(address)], { type: format === "png" ? "image/png" : "image/svg+xml" }));
}
