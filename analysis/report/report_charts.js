'use strict';
// Colours, numbers and the charts of the report. report.js decides what they show.

const CopalCharts = (() => {
  // Twelve colours for light and for dark ground. In each set any two stay apart by at least 0.09
  // in OKLab as seen with normal vision, protanopia, deuteranopia and tritanopia, and each has a
  // contrast of 3 (light) or 4 (dark) to the ground. analysis/copal_results/palette.py holds the
  // same; its test compares them.
  const PALETTE = {
    light: ['#4279b5', '#8697a6', '#c12b07', '#0e99e9', '#f75b78', '#456d49', '#7534ad', '#531003',
      '#bf7605', '#192867', '#821e0d', '#015757'],
    dark: ['#447fc0', '#7b7e83', '#fa9d12', '#15cefe', '#e0a5c3', '#9eeaa0', '#a983fa', '#bf6040',
      '#eae028', '#dfe3ff', '#de7b0e', '#54ae7f'],
  };
  const DASHES = [[], [3, 3], [9, 3], [6, 2, 2, 2], [12, 3], [], [5, 3], [], [9, 2, 2, 2, 2, 2],
    [2, 2], [14, 3, 3, 3], [7, 5]];
  // These keep their colour in every report; other labels take what is left.
  const ALGORITHMS = ['round_robin', 'random', 'power_of_two', 'least_connections', 'server_load',
    'green', 'peak_ewma', 'prequal', 'bounded_load', 'maglev'];

  /** labels: of all lines. Returns label -> slot of the palette; beyond twelve, slots repeat. */
  function slots(labels) {
    const taken = new Map();
    for (const label of labels) {
      if (ALGORITHMS.includes(label)) taken.set(label, ALGORITHMS.indexOf(label));
    }
    const used = new Set(taken.values());
    const free = PALETTE.light.map((_, slot) => slot).filter((slot) => !used.has(slot))
      .sort((a, b) => (a < 10) - (b < 10) || a - b);
    let next = 0;
    for (const label of labels) {
      if (taken.has(label)) continue;
      taken.set(label, next < free.length ? free[next] : (next * 5) % PALETTE.light.length);
      next += 1;
    }
    return taken;
  }

  const isDark = () => !CopalCharts.printing &&
    matchMedia('(prefers-color-scheme: dark)').matches;
  const color = (slot) => PALETTE[isDark() ? 'dark' : 'light'][slot];
  const dash = (slot) => DASHES[slot];
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const faded = (hex) => hex + '28';

  /** Three significant digits, thousands set apart. */
  function text(value) {
    if (value === null || value === undefined || !Number.isFinite(value)) return '–';
    const size = Math.abs(value);
    if (size !== 0 && size < 1e-6) return value.toExponential(1);
    if (size !== 0 && size < 1e-3) {
      return Number(value.toPrecision(2)).toFixed(8).replace(/0+$/, '');
    }
    if (size >= 100) return Math.round(value).toLocaleString('en').replace(/,/g, '\u202f');
    return String(Number(value.toPrecision(3)));
  }

  /** The same for tables: 13.0 where 13 was measured to three digits, 13 where it is a count. */
  function figure(value) {
    const plain = Number.isFinite(value) && !Number.isInteger(value) && Math.abs(value) >= 1e-3
      && Math.abs(value) < 99.95;
    return plain ? value.toPrecision(3) : text(value);
  }

  /** Seconds as m:ss, or h:mm where the whole is at least two hours. */
  function clock(seconds, whole) {
    const pad = (number) => String(number).padStart(2, '0');
    const total = Math.round(seconds);
    return whole >= 7200 ? `${Math.floor(total / 3600)}:${pad(Math.floor(total / 60) % 60)}`
      : `${Math.floor(total / 60)}:${pad(total % 60)}`;
  }

  /** Distance of ticks in time that people count in, for at most `count` of them. */
  function timeStep(whole, count) {
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600,
      43200, 86400];
    return steps.find((step) => whole / step <= count) || 86400 * Math.ceil(whole / 86400 / count);
  }

  /** Draws half a confidence interval as whiskers on horizontal bars. */
  const whiskers = {
    id: 'whiskers',
    afterDatasetsDraw(chart) {
      const spread = chart.data.datasets[0].spread;
      if (!spread) return;
      const { ctx, scales: { x } } = chart;
      ctx.save();
      ctx.strokeStyle = css('--text');
      ctx.lineWidth = 1;
      chart.getDatasetMeta(0).data.forEach((bar, index) => {
        const ends = spread[index];
        if (!ends) return;
        const [low, high] = [x.getPixelForValue(Math.max(0, ends[0])),
          x.getPixelForValue(ends[1])];
        ctx.beginPath();
        ctx.moveTo(low, bar.y); ctx.lineTo(high, bar.y);
        for (const end of [low, high]) { ctx.moveTo(end, bar.y - 4); ctx.lineTo(end, bar.y + 4); }
        ctx.stroke();
      });
      ctx.restore();
    },
  };

  /** A hair line under the pointer, so that a moment can be followed across lines. */
  const hairline = {
    id: 'hairline',
    afterDatasetsDraw(chart) {
      const active = chart.tooltip && chart.tooltip.getActiveElements();
      if (!active || !active.length || chart.config.type !== 'line') return;
      const { ctx, chartArea } = chart;
      ctx.save();
      ctx.strokeStyle = css('--muted');
      ctx.globalAlpha = 0.5;
      ctx.beginPath();
      ctx.moveTo(active[0].element.x, chartArea.top);
      ctx.lineTo(active[0].element.x, chartArea.bottom);
      ctx.stroke();
      ctx.restore();
    },
  };

  function axis(extra) {
    return { grid: { color: css('--grid'), borderColor: css('--rule'), tickLength: 4 },
      ...extra,
      ticks: { color: css('--muted'), font: { size: 11 }, maxRotation: 0,
        ...(extra.ticks || {}) } };
  }

  function tooltip(label) {
    return { backgroundColor: css('--card'), titleColor: css('--muted'), bodyColor: css('--text'),
      borderColor: css('--rule'), borderWidth: 1, padding: 10, boxPadding: 4, boxWidth: 8,
      boxHeight: 8, usePointStyle: false, itemSort: (a, b) => b.parsed.y - a.parsed.y,
      callbacks: label };
  }

  /** Only whole powers of ten are named on a logarithmic axis, if it spans more than two. */
  function logTicks(show) {
    return function callback(value, index, ticks) {
      const power = Math.log10(value);
      const whole = Math.abs(power - Math.round(power)) < 1e-9;
      const wide = ticks.length && ticks[ticks.length - 1].value / ticks[0].value > 200;
      const leading = Math.round(value / 10 ** Math.floor(power + 1e-9));
      return whole || (!wide && [2, 5].includes(leading)) ? show(value) : null;
    };
  }

  function yAxis(spec) {
    if (spec.log) {
      return axis({ type: 'logarithmic', min: spec.min, max: spec.max,
        ticks: { callback: logTicks(spec.show || text), autoSkip: false } });
    }
    return axis({ type: 'linear', beginAtZero: true, suggestedMax: spec.suggestedMax,
      ticks: { callback: (value) => (spec.show || text)(value), maxTicksLimit: 6 } });
  }

  function xAxis(spec) {
    if (spec.time) {
      return axis({ type: 'linear', min: 0, max: spec.whole,
        ticks: { stepSize: timeStep(spec.whole, 8), callback: (value) => clock(value, spec.whole),
          autoSkipPadding: 12, includeBounds: false } });
    }
    return axis({ type: 'logarithmic', min: spec.xMin, max: spec.xMax,
      ticks: { callback: logTicks(text), autoSkip: false } });
  }

  /** spec: {lines: [{label, slot, points}], time, whole, log, unit, show, stepped, emphasis}. */
  function lineConfig(spec) {
    const at = (items) => (spec.time ? clock(items[0].parsed.x, spec.whole)
      : `${text(items[0].parsed.x)} ms`);
    return {
      type: 'line',
      data: { datasets: spec.lines.map((line) => lineDataset(line, spec)) },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, parsing: false,
        normalized: true, spanGaps: false, interaction: { mode: 'nearest', axis: 'x',
          intersect: false },
        plugins: { legend: { display: false }, tooltip: tooltip({ title: at, label: (item) =>
          ` ${item.dataset.label}  ${(spec.show || text)(item.parsed.y)} ${spec.unit || ''}` }) },
        scales: { x: xAxis(spec), y: yAxis(spec) },
      },
      plugins: [hairline],
    };
  }

  function lineDataset(line, spec) {
    const own = color(line.slot);
    const other = spec.emphasis && spec.emphasis !== line.label;
    return { label: line.label, data: line.points, borderColor: other ? faded(own) : own,
      backgroundColor: own, borderDash: dash(line.slot), stepped: spec.stepped || false,
      borderWidth: spec.emphasis === line.label ? 2.6 : 1.6, pointRadius: 0, pointHitRadius: 6,
      // Lines that lie on one another are all seen if the broken ones are drawn last.
      borderJoinStyle: 'round',
      order: spec.emphasis === line.label ? 0 : dash(line.slot).length ? 1 : 2 };
  }

  /** spec: {lines: [{label, slot, value, low, high}], unit, emphasis}. */
  function barConfig(spec) {
    return {
      type: 'bar',
      data: {
        labels: spec.lines.map((line) => line.label),
        datasets: [{ data: spec.lines.map((line) => line.value),
          backgroundColor: spec.lines.map((line) => (
            spec.emphasis && spec.emphasis !== line.label ? faded(color(line.slot))
              : color(line.slot))),
          spread: spec.lines.map((line) => (line.low === null ? null : [line.low, line.high])),
          borderRadius: 3, barPercentage: 0.8, categoryPercentage: 0.85 }],
      },
      options: {
        indexAxis: 'y', animation: false, responsive: true, maintainAspectRatio: false,
        plugins: { legend: { display: false }, tooltip: { ...tooltip({ label: (item) =>
          ` ${text(item.parsed.x)} ${spec.unit}` }), itemSort: undefined, displayColors: false } },
        scales: { x: axis({ beginAtZero: true, ticks: { callback: (value) => text(value),
          maxTicksLimit: 6 } }), y: axis({ grid: { display: false },
          ticks: { autoSkip: false, color: css('--text') } }) },
      },
      plugins: [whiskers],
    };
  }

  /** Draws on a canvas, instead of what it held. */
  function draw(canvas, config) {
    const old = Chart.getChart(canvas);
    if (old) old.destroy();
    return new Chart(canvas, config);
  }

  /** A short piece of the line as it is drawn, as an SVG element. */
  function swatch(slot) {
    const space = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(space, 'svg');
    const line = document.createElementNS(space, 'line');
    for (const [key, value] of Object.entries({ width: 22, height: 10, 'aria-hidden': 'true',
      class: 'swatch', 'data-slot': slot })) svg.setAttribute(key, value);
    const look = { x1: 1, x2: 21, y1: 5, y2: 5, 'stroke-width': 3, stroke: color(slot),
      'stroke-dasharray': dash(slot).join(' ') };
    for (const [key, value] of Object.entries(look)) line.setAttribute(key, value);
    svg.append(line);
    return svg;
  }

  return { slots, color, text, figure, clock, css, lineConfig, barConfig, draw, swatch,
    printing: false };
})();
