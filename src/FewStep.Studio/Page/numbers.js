// Numbers as the reports write them.
export function significant(value, digits = 3) {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  return exponent < -3 || exponent > 5 ? value.toExponential(digits - 1).replace(/\.?0*e\+?/, 'e')
    : value.toFixed(Math.max(0, digits - 1 - exponent));
}

export function sigmaText(sigma, digits = 3) {
  const text = significant(sigma, digits);
  return text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text;
}

// Mean and half-width to the half-width's second digit.
export function withSpread(mean, half) {
  if (!(half > 0)) return [significant(mean), null];
  const decimals = Math.min(7, Math.max(0, 1 - Math.floor(Math.log10(half))));
  return [mean.toFixed(decimals), half.toFixed(decimals)];
}

export const duration = seconds => seconds < 60 ? `${significant(seconds, seconds < 1 ? 2 : 3)} s`
  : `${Math.floor(seconds / 60)} min ${String(Math.round(seconds % 60)).padStart(2, '0')} s`;
