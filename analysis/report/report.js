'use strict';
// Fills the report from the JSON inside the page (sim/report/page_data.h says what is in it). Texts
// of a scenario only ever become text nodes.

(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const labels = data.lines.map((line) => line.label);
  const slot = CopalCharts.slots(labels);
  const { text, figure, clock } = CopalCharts;
  const seeds = [...new Set(data.runs.map((run) => run.seed))];
  const drawn = seeds.filter((seed) => data.runs.some((run) => run.seed === seed && run.series));
  const infos = new Map(data.metrics.map((info) => [info.name, info]));
  const state = { hidden: new Set(), seed: drawn[0], full: false, emphasis: null,
    sort: null, all: false, heat: 'requests', choices: {} };

  const byId = (id) => document.getElementById(id);

  /** element('td', {class: 'text'}, child, 'text', …); null children are left out. */
  function element(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
      else if (value === true) node.setAttribute(key, '');
      else if (value !== false && value !== null) node.setAttribute(key, value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  }

  const lineName = (label) => element('span', { class: 'name' },
    CopalCharts.swatch(slot.get(label)), label);

  function selectBox(label, options, value, change) {
    return element('label', { class: 'control' }, label, element('select', {
      'aria-label': label || 'Shown', onchange: (event) => change(event.target.value) },
    options.map(([key, name]) => element('option', { value: key, selected: key === value },
      name))));
  }

  const checkBox = (label, checked, change) => element('label', { class: 'control' },
    element('input', { type: 'checkbox', checked, onchange: (e) => change(e.target.checked) }),
    label);

  function table(target, head, rows) {
    target.replaceChildren(element('thead', {}, element('tr', {}, head)),
      element('tbody', {}, rows));
  }

  const heads = (names, textual = []) => names.map((name) => element('th',
    { scope: 'col', class: textual.includes(name) ? 'text' : null }, name));
  /** Half an interval: two digits are enough. */
  const spreadText = (value) => text(Number(value.toPrecision(2)));
  const plural = (count, noun) => `${text(count)} ${noun}${count === 1 ? '' : 's'}`;

  // Metrics as people read them: energy in the unit that suits all lines, ratios in per cent.
  function display(name) {
    const info = infos.get(name);
    if (name.startsWith('energy_joules')) {
      const largest = Math.max(0, ...data.lines.map((line) => line.metrics[name].mean || 0));
      if (largest >= 1e7) return { unit: 'MJ', scale: 1e-6, title: info.title };
      if (largest >= 1e4) return { unit: 'kJ', scale: 1e-3, title: info.title };
      return { unit: 'J', scale: 1, title: info.title };
    }
    return { unit: info.unit, scale: info.unit === '%' ? 100 : 1, title: info.title };
  }

  // --- Head and verdict ---

  function fillHead() {
    const { scenario } = data;
    document.title = `${scenario.title || scenario.name} · Copal`;
    byId('title').textContent = scenario.title || scenario.name;
    byId('claim').textContent = scenario.claim;
    byId('facts').textContent = [plural(data.lines.length, 'line'),
      seeds.length === 1 ? `seed ${seeds[0]}` : plural(seeds.length, 'seed'),
      `${clock(scenario.duration_s, scenario.duration_s)} ${
        scenario.duration_s >= 7200 ? 'h' : 'min'} simulated`,
      `the first ${text(scenario.warm_up_s)} s are left out of the figures`].join(' · ');
    byId('footer').textContent = `Copal ${data.copal_version}, scenario ${scenario.name}. `
      + 'The full figures stand in results.json and series/ beside this page.';
  }

  function tiedText(finding) {
    if (finding.all_tied) return 'no line can be told from another';
    if (finding.tied.length) return `not to be told from it: ${finding.tied.join(', ')}`;
    return labels.length > 1 ? 'ahead of every other line' : '';
  }

  function findingTile(finding) {
    const { unit, scale } = display(finding.metric);
    return element('div', { class: 'tile' },
      element('div', { class: 'question' }, finding.question),
      element('div', { class: 'value' }, `${figure(finding.value * scale)} ${unit}`),
      element('div', { class: 'who' },
        finding.all_tied ? 'every line' : lineName(finding.line)),
      element('div', { class: 'more' }, tiedText(finding)));
  }

  function expectationsTile() {
    const { expectations } = data;
    const passed = expectations.filter((each) => each.ok).length;
    return element('div', { class: 'tile' }, element('div', { class: 'question' }, 'Expectations'),
      element('div', { class: `value ${passed === expectations.length ? 'pass' : 'fail'}` },
        `${passed} of ${expectations.length}`),
      element('div', { class: 'who' }, passed === expectations.length ? 'all met' : 'met'),
      element('div', { class: 'more' },
        element('a', { href: '#expectations' }, 'what was expected')));
  }

  function fillVerdict() {
    const { verdict } = data;
    if (!verdict) {
      byId('verdict').append(element('p', { class: 'sentence' }, 'There is no run to look at.'));
      return;
    }
    const tiles = [verdict.latency, verdict.energy].filter((each) => each.line).map(findingTile);
    if (data.expectations.length) tiles.push(expectationsTile());
    byId('verdict').append(
      element('p', { class: 'sentence' }, `${verdict.latency.text} ${verdict.energy.text}`),
      element('div', { class: 'tiles' }, tiles),
      verdict.caveat ? element('p', { class: 'note' }, verdict.caveat) : '');
  }

  // --- Summary ---

  // Where there are caches, they are what it is about.
  const WITH_CACHES = infos.has('cache_operations_count');
  const MAIN = WITH_CACHES ? ['latency_ms_p99', 'error_ratio', 'cache_near_hit_ratio',
    'cache_owner_hit_ratio', 'cache_messages_per_operation', 'cache_metadata_bytes_per_operation',
    'cache_data_bytes_per_operation', 'staleness_ms_p99', 'staleness_ms_max', 'lost_writes_count',
    'overwritten_writes_count', 'loss_window_ms_p99', 'recovery_s_max']
    : ['latency_ms_p50', 'latency_ms_p95', 'latency_ms_p99', 'error_ratio',
      'throughput_per_s', 'servers_active_mean', 'energy_joules', 'server_hours'];

  const answeredAny = (line) => line.metrics.answered_count.mean > 0;
  const measured = (line, name) => !name.startsWith('latency') || answeredAny(line);

  /** The best figure of a column as it is shown; null where there is none or all show the same. */
  function bestFigure(name) {
    const { better } = infos.get(name);
    const means = data.lines.filter((line) => measured(line, name))
      .map((line) => line.metrics[name].mean).filter((mean) => mean !== null);
    const { scale } = display(name);
    const all = new Set(means.map((mean) => figure(mean * scale)));
    if (better === 'neither' || all.size < 2) return null;
    return figure((better === 'lower' ? Math.min(...means) : Math.max(...means)) * scale);
  }

  function metricCell(line, name, best) {
    const { scale } = display(name);
    const value = line.metrics[name];
    if (!measured(line, name) || value.mean === null) return element('td', {}, '–');
    const shownText = figure(value.mean * scale);
    const isBest = shownText === best;
    const known = value.low !== null && value.low < value.high;
    const spread = known ? element('span', { class: 'spread' },
      `±${spreadText((value.high - value.mean) * scale)}`) : null;
    return element('td', { class: isBest ? 'best' : null,
      title: isBest ? 'best of its column' : null }, shownText, spread,
    isBest ? element('span', { class: 'unseen' }, ' best') : null);
  }

  function sortedLines() {
    if (!state.sort) return data.lines;
    const { name, down } = state.sort;
    const key = (line) => (name === 'line' ? line.label : line.metrics[name].mean);
    const order = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
    return [...data.lines].sort((a, b) => (down ? order(b, a) : order(a, b)));
  }

  function sortHead(name, title) {
    const active = state.sort && state.sort.name === name;
    const sort = () => {
      state.sort = { name, down: active ? !state.sort.down : false };
      fillSummary();
      byId('summary-table').querySelector(`[data-sort="${name}"]`).focus();
    };
    return element('th', { scope: 'col', 'aria-sort': !active ? 'none'
      : state.sort.down ? 'descending' : 'ascending' },
    element('button', { type: 'button', 'data-sort': name, onclick: sort }, title));
  }

  function fillSummary() {
    const names = state.all ? data.metrics.map((info) => info.name) : MAIN;
    const head = names.map((name) => {
      const { title, unit } = display(name);
      return sortHead(name, unit ? `${title} ${unit}` : title);
    });
    const best = new Map(names.map((name) => [name, bestFigure(name)]));
    table(byId('summary-table'), [sortHead('line', 'line'), ...head], sortedLines().map((line) =>
      element('tr', { 'data-line': line.label, class: state.hidden.has(line.label) ? 'off' : null },
        element('th', { scope: 'row' }, lineName(line.label)),
        names.map((name) => metricCell(line, name, best.get(name))))));
    const notes = data.lines.filter((line) => line.tied_note)
      .map((line) => element('p', {}, `${line.label}: ${line.tied_note}.`));
    byId('summary-notes').replaceChildren(element('p', {},
      seeds.length > 1 ? `Means over ${seeds.length} seeds, ± half the 95 % confidence interval. `
        : '', 'Coloured: best of its column. Response times are of answered requests, from '
        + 'arrival at the balancer to the answer there.'), ...notes);
  }

  // --- Charts ---

  const CHARTS = [
    { id: 'latency', place: 'time', wide: true, title: 'Response time', unit: 'ms', canLog: true,
      columns: [['latency_ms_p99', 'p99'], ['latency_ms_p95', 'p95'], ['latency_ms_p50', 'p50']] },
    { id: 'servers', place: 'time', title: 'Servers',
      columns: [['servers_active', 'with work'], ['servers_on', 'switched on']] },
    { id: 'load', place: 'time', title: 'Load', columns: [
      ['cpu_ratio_mean', 'CPU, mean of servers'], ['cpu_ratio_max', 'CPU, busiest server'],
      ['in_flight', 'requests in flight']] },
    { id: 'traffic', place: 'time', title: 'Traffic', unit: 'per s',
      columns: [['arrivals_per_s', 'arrivals'], ['answers_per_s', 'answers']] },
    { id: 'errors', place: 'time', title: 'Errors', unit: 'per s',
      columns: [['errors_per_s', 'errors']] },
    { id: 'spread', place: 'spread', title: 'Response times', unit: 'ms', wide: true,
      columns: [['slower', 'share slower than'], ['histogram', 'histogram']] },
    { id: 'power', place: 'cost', title: 'Power of all servers', unit: 'W',
      columns: [['power_watts', 'power']] },
    { id: 'bars', place: 'cost', title: 'Totals', columns: [
      ...(WITH_CACHES ? [['cache_messages_per_operation', 'messages per operation'],
        ['cache_near_hit_ratio', 'near hits'], ['staleness_ms_p99', 'staleness p99'],
        ['lost_writes_count', 'lost writes'], ['overwritten_writes_count', 'overwritten writes'],
        ['recovery_s_max', 'time to recover']] : []), ['energy_joules', 'energy'],
      ['server_hours', 'server-hours'], ['energy_joules_per_request', 'energy per request'],
      ['latency_ms_p99', 'p99'], ['error_ratio', 'errors']] },
  ];

  const isRatio = (column) => column.startsWith('cpu_ratio');
  const percent = (value) => `${text(value * 100)} %`;
  const runOf = (label) => data.runs.find((run) => run.line === label && run.seed === state.seed);
  const shown = () => labels.filter((label) => !state.hidden.has(label) && runOf(label));
  const columnOf = (chart) => state.choices[chart.id] || chart.columns[0][0];

  function seriesOf(label) {
    const { series } = runOf(label);
    return series ? (state.full && series.full) || series.calm : null;
  }

  function timeLines(column) {
    return shown().filter(seriesOf).map((label) => {
      const series = seriesOf(label);
      return { label, slot: slot.get(label),
        points: series.time_s.map((x, i) => ({ x, y: series[column][i] === null ? NaN
          : series[column][i] })) };
    });
  }

  /** Share of requests slower than each bucket's upper end; the slowest bucket ends the line. */
  function slowerPoints(histogram) {
    const all = histogram.reduce((sum, bucket) => sum + bucket[2], 0);
    let left = all;
    const points = [];
    for (const [lower, upper, count] of histogram) {
      if (!points.length) points.push({ x: lower, y: 1 });
      left -= count;
      if (left > 0) points.push({ x: upper, y: left / all });
    }
    return points;
  }

  /** Share of requests per bucket; buckets five times as wide as stored, for a calm line. */
  function histogramPoints(histogram) {
    const all = histogram.reduce((sum, bucket) => sum + bucket[2], 0);
    const width = Math.log(1.25);
    const shares = new Map();
    for (const [lower, upper, count] of histogram) {
      const place = Math.floor(Math.log((lower + upper) / 2) / width);
      shares.set(place, (shares.get(place) || 0) + count / all);
    }
    const places = [...shares.keys()].sort((a, b) => a - b);
    const points = [];
    for (let place = places[0] - 1; place <= places[places.length - 1] + 1; place += 1) {
      points.push({ x: Math.exp((place + 0.5) * width), y: shares.get(place) || 0 });
    }
    return points;
  }

  function spreadSpec(column) {
    const lines = shown().filter((label) => runOf(label).histogram.length).map((label) => ({ label,
      slot: slot.get(label), points: (column === 'slower' ? slowerPoints : histogramPoints)(
        runOf(label).histogram) }));
    const xs = lines.flatMap((line) => line.points.map((point) => point.x));
    const least = Math.min(1, ...lines.map((line) => line.points[line.points.length - 1].y || 1));
    return { lines, log: column === 'slower', min: column === 'slower'
      ? 10 ** Math.floor(Math.log10(least)) : undefined, max: column === 'slower' ? 1 : undefined,
    show: percent, unit: column === 'slower' ? 'slower' : 'of requests',
    xMin: xs.length ? Math.min(...xs) : 1, xMax: xs.length ? Math.max(...xs) : 10 };
  }

  function barSpec(name) {
    const { unit, scale } = display(name);
    const lines = data.lines.filter((line) => !state.hidden.has(line.label)).map((line) => {
      const { mean, low, high } = line.metrics[name];
      return { label: line.label, slot: slot.get(line.label), value: mean * scale,
        low: low === null ? null : low * scale, high: high * scale };
    });
    return { lines, unit };
  }

  function timeSpec(chart, column) {
    const lines = timeLines(column);
    const last = lines.map(({ points }) => (points.length ? points[points.length - 1].x : 0));
    return { lines, time: true, whole: Math.max(data.scenario.duration_s, ...last),
      unit: isRatio(column) ? '' : chart.unit, show: isRatio(column) ? percent : text,
      suggestedMax: isRatio(column) ? 1 : undefined, log: chart.canLog && state.choices.log };
  }

  function specOf(chart) {
    const column = columnOf(chart);
    const spec = chart.id === 'spread' ? spreadSpec(column)
      : chart.id === 'bars' ? barSpec(column) : timeSpec(chart, column);
    spec.emphasis = state.emphasis;
    return spec;
  }

  function describe(chart, spec) {
    const column = chart.columns.find(([key]) => key === columnOf(chart))[1];
    return `${chart.title}, ${column}: ${spec.lines.map((line) => line.label).join(', ')}. `
      + 'The figures stand below the chart.';
  }

  /** The chart as a table: least, mean and most of each line, or the bar's value. */
  function figures(chart, spec) {
    const show = spec.show || text;
    const body = element('table', {});
    const row = (line, values) => element('tr', {}, element('th', { scope: 'row' },
      lineName(line.label)), values.map((value) => element('td', {}, value)));
    if (chart.id === 'bars') {
      table(body, heads(['line', spec.unit || 'value']), spec.lines.map((line) =>
        row(line, [text(line.value)])));
      return body;
    }
    if (chart.id === 'spread') {
      const marks = ['latency_ms_p50', 'latency_ms_p90', 'latency_ms_p99', 'latency_ms_p99_9'];
      table(body, heads(['line', 'p50 ms', 'p90 ms', 'p99 ms', 'p99.9 ms']),
        spec.lines.map((line) => row(line,
          marks.map((name) => figure(runOf(line.label).metrics[name])))));
      return body;
    }
    table(body, heads(['line', 'least', 'mean', 'most']), spec.lines.map((line) => {
      const values = line.points.map((point) => point.y).filter(Number.isFinite);
      if (!values.length) return row(line, ['–', '–', '–']);
      const sum = values.reduce((total, value) => total + value, 0);
      return row(line, [values.reduce((a, b) => Math.min(a, b)), sum / values.length,
        values.reduce((a, b) => Math.max(a, b))].map(show));
    }));
    return body;
  }

  function drawChart(chart) {
    const spec = specOf(chart);
    chart.canvas.setAttribute('aria-label', describe(chart, spec));
    // Neighbours, so equally high; each bar needs room for its name.
    chart.box.style.height = chart.place === 'cost'
      ? `${Math.max(240, 50 + 24 * labels.length)}px` : '';
    CopalCharts.draw(chart.canvas, chart.id === 'bars' ? CopalCharts.barConfig(spec)
      : CopalCharts.lineConfig(spec));
    const unit = chart.id === 'bars' ? spec.unit : isRatio(columnOf(chart)) ? '%' : chart.unit;
    const nothing = chart.id === 'errors' && spec.lines.length
      && spec.lines.every((line) => line.points.every((point) => !point.y));
    chart.unitText.textContent = nothing ? ' none' : unit ? ` ${unit}` : '';
    if (chart.details.open) chart.figures.replaceChildren(figures(chart, spec));
  }

  function chartControls(chart) {
    const change = (value) => { state.choices[chart.id] = value; drawChart(chart); };
    const controls = [];
    if (chart.columns.length > 1) {
      controls.push(selectBox('', chart.columns, columnOf(chart), change));
    }
    if (chart.canLog) {
      controls.push(checkBox('log scale', false, (on) => {
        state.choices.log = on;
        drawChart(chart);
      }));
    }
    controls.forEach((control) => control.querySelector('select')?.setAttribute('aria-label',
      `${chart.title}: what is shown`));
    return element('div', { class: 'controls' }, controls);
  }

  function buildChart(chart) {
    chart.canvas = element('canvas', { role: 'img', id: `chart-${chart.id}` });
    chart.box = element('div', { class: 'canvas' }, chart.canvas);
    chart.unitText = element('span', { class: 'unit' });
    chart.figures = element('div', { class: 'scroll', tabindex: 0, role: 'region',
      'aria-label': `${chart.title} in figures` });
    chart.details = element('details', { ontoggle: () => drawChart(chart) },
      element('summary', {}, 'in figures'), chart.figures);
    byId(`${chart.place}-charts`).append(element('figure', {
      class: chart.wide ? 'chart wide' : 'chart' },
    element('figcaption', {}, element('h3', {}, chart.title, chart.unitText),
      chartControls(chart)),
    chart.box, chart.details));
  }

  const drawAll = () => CHARTS.forEach(drawChart);

  // --- The bar ---

  function setHidden(labelsHidden) {
    state.hidden = new Set(labelsHidden);
    fillLegend();
    refresh();
    const left = labels.length - state.hidden.size;
    byId('announce').textContent = `${left} of ${labels.length} lines shown`;
  }

  function emphasise(label) {
    if (state.emphasis === label || (label && state.hidden.has(label))) return;
    state.emphasis = label;
    drawAll();
  }

  function fillLegend() {
    const focused = document.activeElement && document.activeElement.getAttribute('data-line');
    const toggle = (label) => () => setHidden(state.hidden.has(label)
      ? [...state.hidden].filter((each) => each !== label) : [...state.hidden, label]);
    byId('legend').replaceChildren(...labels.map((label) => element('button', { type: 'button',
      'data-line': label, 'aria-pressed': String(!state.hidden.has(label)), onclick: toggle(label),
      onpointerenter: (event) => event.pointerType === 'mouse' && emphasise(label),
      onpointerleave: () => emphasise(null) }, CopalCharts.swatch(slot.get(label)), label)));
    [...byId('legend').children].find((each) => each.dataset.line === focused)?.focus();
  }

  function fillOptions() {
    const options = [element('button', { type: 'button', class: 'plain-button', id: 'all-lines',
      onclick: () => setHidden(state.hidden.size ? [] : labels.slice(1)) }, 'all / one')];
    if (drawn.length > 1) {
      options.push(selectBox('seed', drawn.map((seed) => [String(seed), String(seed)]),
        String(state.seed), (value) => {
          state.seed = drawn.find((seed) => String(seed) === value);
          refresh();
        }));
    }
    if (data.runs.some((run) => run.series && run.series.full)) {
      options.push(checkBox('every peak', state.full, (on) => { state.full = on; refresh(); }));
    }
    byId('options').replaceChildren(...options);
  }

  function fillThinning() {
    const { rows, rows_shown: kept, seeds: all, seeds_shown: some } = data.thinning;
    const parts = [];
    if (data.runs.some((run) => run.series && run.series.full)) {
      parts.push(`A run has ${text(rows)} intervals. The charts show means of neighbouring ones; `
        + '“every peak” shows ' + (kept < rows ? 'the smallest and the largest of neighbours, '
          + `at most ${text(kept)} points.` : 'each of them.'));
    }
    if (some < all) parts.push(`Series of the first ${some} of ${all} seeds are on this page.`);
    byId('thinning').textContent = `${parts.join(' ')} Everything is in series/ as CSV.`.trim();
  }

  // --- Servers ---

  const HEAT = [['requests', 'requests'], ['cpu_ratio_mean', 'CPU'], ['active_mean',
    'requests at work'], ['awake_s', 'seconds awake'], ['energy_joules', 'energy J']];

  function heatCell(value, largest) {
    const share = largest > 0 ? value / largest : 0;
    const show = state.heat === 'cpu_ratio_mean' ? percent(value) : text(value);
    return element('td', { style: `background: rgba(var(--heat), ${(0.42 * share).toFixed(3)})` },
      show);
  }

  function fillServers() {
    const runs = labels.map(runOf).filter((run) => run && run.servers.names.length);
    const largest = Math.max(0, ...runs.flatMap((run) => run.servers[state.heat]));
    const names = runs.length ? runs[0].servers.names : [];
    table(byId('servers-table'), heads(['line', ...names]), runs.map((run) => element('tr',
      { class: state.hidden.has(run.line) ? 'off' : null },
      element('th', { scope: 'row' }, lineName(run.line)),
      run.servers[state.heat].map((value) => heatCell(value, largest)))));
    byId('servers-note').textContent = `Seed ${state.seed}, whole run. The darker, the more; `
      + `${names.some((name) => name.includes(' … '))
        ? 'neighbouring servers stand together: sums of requests and energy, means of the rest.'
        : 'servers in the order of the configuration.'}`;
  }

  // --- Expectations, trace, engine, runs ---

  function fillExpectations() {
    const { expectations } = data;
    byId('expectations').hidden = !expectations.length;
    table(byId('expectations-table'), heads(['result', 'expected', 'line', 'measured'],
      ['expected', 'line']), expectations.map((each) => element('tr', {},
      element('td', { class: `text ${each.ok ? 'pass' : 'fail'}` },
        each.ok ? '✓ met' : '✗ failed'),
      element('td', { class: 'text wrap' }, each.text),
      element('td', { class: 'text' },
        labels.includes(each.line) ? lineName(each.line) : each.line),
      element('td', {}, figure(each.measured)))));
  }

  function fillInput() {
    const { input } = data;
    if (!input) return;
    byId('input').hidden = false;
    byId('input-text').textContent = `${input.file}: ${plural(input.lines_read, 'line')} read, `
      + `${text(input.lines_broken)} not understood and left out.`;
    byId('input-table').parentElement.hidden = !input.first_broken.length;
    table(byId('input-table'), heads(['line', 'why', 'text'], ['why', 'text']),
      input.first_broken.map((each) => element('tr', {}, element('th', { scope: 'row' },
        String(each.line)), element('td', { class: 'text' }, each.reason),
      element('td', { class: 'text wrap mono' }, each.text))));
  }

  function fillEngine() {
    const { engine, scenario } = data;
    const rows = [['Copal', data.copal_version], ['SimGrid', engine.simgrid_version],
      ['Fidelity of links', engine.fidelity], ['CPU', engine.cpu],
      ['SimGrid options', engine.simgrid_options.join(' ') || 'none'],
      ['Scenario', scenario.file], ['Settings', scenario.settings.join(' ') || 'none'],
      ['Seeds', seeds.join(', ')]];
    byId('engine').append(...rows.flatMap(([name, value]) => [element('dt', {}, name),
      element('dd', {}, value || '–')]));
    byId('settings').textContent = scenario.settings.length
      ? `Changed by --set: ${scenario.settings.join(', ')}` : 'Nothing was changed by --set.';
    byId('scenario').textContent = scenario.text;
    table(byId('runs-table'), heads(['line', 'seed', 'requests', 'event hash']),
      data.runs.map((run) => element('tr', {},
        element('th', { scope: 'row' }, lineName(run.line)), element('td', {}, String(run.seed)),
        element('td', {}, text(run.metrics.requests_count)),
        element('td', { class: 'mono' }, run.event_hash))));
  }

  function refresh() {
    drawAll();
    fillSummary();
    fillServers();
  }

  /** Colours follow the scheme, also while the page is open and on paper. */
  function recolor() {
    document.querySelectorAll('svg.swatch').forEach((svg) => svg.firstChild.setAttribute('stroke',
      CopalCharts.color(Number(svg.dataset.slot))));
    drawAll();
  }

  fillHead();
  fillVerdict();
  fillExpectations();
  fillInput();
  fillEngine();
  fillThinning();
  byId('all-metrics').addEventListener('change', (event) => {
    state.all = event.target.checked;
    fillSummary();
  });
  byId('servers-control').append(selectBox('shown', HEAT, state.heat, (value) => {
    state.heat = value;
    fillServers();
  }));
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  CHARTS.forEach(buildChart);
  fillLegend();
  fillOptions();
  refresh();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolor);
  window.addEventListener('beforeprint', () => { CopalCharts.printing = true; recolor(); });
  window.addEventListener('afterprint', () => { CopalCharts.printing = false; recolor(); });
})();
