// Equal distances for equal ratios, between two positive numbers.
export function logAxis(low, high, start, end) {
  const span = Math.log(high / low);
  return {
    low, high, start, end,
    position: value => start + (end - start) * Math.log(value / low) / span,
    value: position => low * Math.exp(span * (position - start) / (end - start)),
    ticks: most => ticks(low, high, most),
  };
}

// An axis that covers some numbers with a margin.
export function covering(values, start, end, margin = 0.02) {
  const positive = values.filter(v => Number.isFinite(v) && v > 0);
  const low = Math.min(...positive), high = Math.max(...positive);
  const factor = high / low > 1.001 ? Math.pow(high / low, margin) : 1.5;
  return logAxis(low / factor, high * factor, start, end);
}

// Powers of ten where there are two or more, else such numbers as 1, 2, 5.
function ticks(low, high, most) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const inside = v => v >= low * (1 - 1e-12) && v <= high * (1 + 1e-12);
  const decades = [];
  for (let k = first; k <= last; k++) decades.push(Math.pow(10, k));
  const powers = decades.filter(inside);
  if (powers.length >= 3) {
    const every = Math.ceil(powers.length / Math.max(3, most));
    return powers.filter((_, i) => i % every === 0);
  }
  for (const multiples of [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3]]) {
    const found = decades.flatMap(d => multiples.map(m => m * d)).filter(inside);
    if (found.length >= 2 && found.length <= most) return found;
  }
  return powers;
}
