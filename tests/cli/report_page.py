"""Checks a page of `ioanneal report`: complete in itself, well-formed, and saying what the archive says.

usage: report_page.py PAGE.html [INFO.json]     INFO.json: what `ioanneal info --json` prints about the archive"""
import html.parser, json, re, sys, xml.etree.ElementTree as xml

VOID = {'meta', 'br', 'link', 'img', 'hr', 'input', 'col', 'wbr', 'base', 'source', 'area', 'embed', 'track'}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.references, self.words, self.tags = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.note(tag, attributes)
        if tag not in VOID: self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.note(tag, attributes)

    def note(self, tag, attributes):
        self.tags.append(tag)
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f'<{tag}> has an attribute twice: {names}'
        for name, value in attributes:
            assert not name.startswith('on'), f'<{tag}> has {name}'
            assert name not in ('src', 'srcset', 'data', 'action', 'background'), f'<{tag}> fetches by {name}'
            assert 'javascript:' not in (value or '').lower(), f'<{tag}> {name}={value}'
            if name in ('href', 'xlink:href'):
                assert value.startswith('#'), f'<{tag}> leads outside: {value}'
                self.references.append(value[1:])
            elif 'url(' in (value or ''): raise AssertionError(f'<{tag}> {name}={value}')
            if name == 'id': self.ids.append(value)
            if name in ('aria-labelledby', 'aria-describedby'): self.references += value.split()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f'</{tag}> closes {self.open[-3:]}'
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] != 'style': self.words.append(data)


def number(value):
    sign = '\u2212' if value < 0 else ''
    return sign + f'{abs(value):,}'


def check_drawings(text):
    drawings = re.findall(r'<svg.*?</svg>', text, re.S)
    plots = 0
    for drawing in drawings:
        root = xml.fromstring(drawing)
        if root.get('aria-hidden') == 'true': continue
        plots += 1
        assert root.get('role') == 'img' and root.get('aria-labelledby') and root.get('viewBox'), drawing[:200]
        for element in root.iter():
            for name, value in element.attrib.items():
                assert not re.search(r'\b(nan|inf)\b', value, re.I), f'{name}={value[:80]}'
                assert not re.search(r'rgb\(|#[0-9a-fA-F]{6}\b|\b(black|white|gray)\b', value), f'fixed colour {name}={value[:80]}'
        assert len(root.findall('.//text')) > 2, 'a plot without words'
    return plots


def check_colours(text):
    style = re.search(r'<style>(.*?)</style>', text, re.S).group(1)
    used = set(re.findall(r'var\(--([a-z0-9-]+)\)', text))
    roots = re.findall(r':root \{(.*?)\}', style, re.S)
    assert len(roots) == 2 and 'prefers-color-scheme: dark' in style and '@media print' in style
    for root in roots:
        missing = used - set(re.findall(r'--([a-z0-9-]+):', root))
        assert not missing, f'colours without a value: {missing}'
    assert 'url(' not in style and '@import' not in style


def check_numbers(words, info):
    for s in info['schedules']:
        lower = s['lower_bound']
        for name, value in (('excess', s['total'] - lower), ('layered excess', s['baseline_total'] - lower), ('total', s['total']),
                            ('reads', s['reads']), ('writes', s['writes']), ('compulsory', lower)):
            assert re.search(r'(?<![\d,])' + re.escape(number(value)) + r'(?![\d,])', words), f'{name} {value} is missing'
        if 'certified_bound' in s: assert number(s['certified_bound'] - lower) in words
        for m in s['measured']:
            for name in ('speedup_order', 'speedup_kernel', 'speedup_vs_csr'):
                q = m['spread'][name]
                wanted = f"{q['median']:.3f}\u00d7 {q['q1']:.3f} to {q['q3']:.3f}"
                assert wanted in words, f'{name}: {wanted} is missing'
            assert m['kernel'] in words and m['cpu'] in words
    assert info['topology_sha256'] in words and f"{info['connections']:,} connections" in words


def main():
    raw = open(sys.argv[1], 'rb').read()
    text = raw.decode('utf-8')  # strictly
    assert text.startswith('<!DOCTYPE html>') and len(raw) < 2_000_000, len(raw)
    assert not re.search('[\x00-\x08\x0b-\x1f\x7f-\x9f]', text), 'control characters'
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open, f'left open: {page.open}'
    assert len(page.ids) == len(set(page.ids)), 'an id is given twice'
    assert not set(page.references) - set(page.ids), f'references to nothing: {set(page.references) - set(page.ids)}'
    assert not {'script', 'iframe', 'object', 'embed', 'link', 'img', 'base', 'form'} & set(page.tags), 'it has what it must not have'
    for section in ('summary', 'memory', 'along', 'times', 'search', 'origin'): assert section in page.ids, section
    plots = check_drawings(text)
    assert plots == page.tags.count('figure') and page.tags.count('table') > 1
    check_colours(text)
    words = ' '.join(' '.join(page.words).split())
    assert not re.search(r'\b(nan|inf)\b', words), 'a number that is none'
    if len(sys.argv) > 2: check_numbers(words, json.load(open(sys.argv[2])))
    print(plots, 'plots')


main()
