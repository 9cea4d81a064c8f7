"""Label files in the layouts of annotation programs, and what is made of their events."""

import json

import numpy as np
import pytest

from posevid_jax.data.intervals import in_seconds
from posevid_jax.data.labels.read import read_intervals, read_videos
from posevid_jax.errors import InputError

EVENTS = ((1.5, 2.5, 'smoke'), (4.0, 6.25, 'drink'))


def read(tmp_path, text, name='a.csv', **keys):
    path = tmp_path / name
    path.write_text(text)
    return read_intervals(path, 1, **keys)


def same(found):
    np.testing.assert_allclose(found.start, [start for start, _, _ in EVENTS], atol=1e-9)
    np.testing.assert_allclose(found.end, [end for _, end, _ in EVENTS], atol=1e-9)
    assert found.label == tuple(label for _, _, label in EVENTS)


def rows(header, separator=',', form=str):
    return '\n'.join(
        [separator.join(header)]
        + [separator.join([form(start), form(end), label]) for start, end, label in EVENTS]
    )


def clock(seconds):
    return f'00:{int(seconds // 60):02d}:{seconds % 60:06.3f}'


@pytest.mark.parametrize(
    'text',
    [
        rows(('start', 'end', 'label')),
        rows(('onset', 'offset', 'behavior')),
        rows(('Start (s)', 'Stop (s)', 'Behavior')),
        rows(('start_time', 'end_time', 'class'), ';', lambda x: str(x).replace('.', ',')),
        rows(('begin', 'stop', 'event'), '\t'),
        rows(('start', 'end', 'label'), form=clock),
        rows(('start', 'end', 'label'), form=lambda x: clock(x)[3:]),
        rows(('start_ms', 'end_ms', 'label'), form=lambda x: str(1000 * x)),
        'start,duration,label\n1.5,1,smoke\n4,2.25,drink\n',
        # Of several units, one that has a start and an end; a row without anything is none.
        'start_frame,end_frame,start_s,end_s,label\n45,74,1.5,2.5,smoke\n,,,,\n120,186,4,6.25,drink',
        'start,start_ms,end_ms,label\n9,1500,2500,smoke\n9,4000,6250,drink\n',
    ],
)
def test_a_csv_under_the_names_that_people_use(tmp_path, text):
    same(read(tmp_path, text))


def test_frames_become_seconds_at_the_rate_of_the_recording(tmp_path):
    text = rows(('start_frame', 'end_frame', 'label'), form=lambda x: str(int(x * 20)))
    found = read(tmp_path, text)
    assert found.in_frames
    same(in_seconds(found, 20.0))
    text = rows(('start', 'end', 'label'), form=lambda x: str(int(x * 20)))
    same(in_seconds(read(tmp_path, text, unit='frames'), 20.0))


def test_boris_with_rows_of_starts_and_stops(tmp_path):
    lines = ['Observation id,walk', 'Media file(s),walk.mp4', '']
    lines += ['Time,Media file path,Total length,FPS,Subject,Behavior,Behavioral category,Status']
    for start, end, label in EVENTS:
        lines += [
            f'{t},walk.mp4,10,25,me,{label},x,{s}' for t, s in ((start, 'START'), (end, 'STOP'))
        ]
    same(read(tmp_path, '\n'.join(lines)))
    with pytest.raises(InputError, match="found START of 'drink', expected a STOP"):
        read(tmp_path, '\n'.join(lines[:-1]))


def test_boris_with_a_row_of_both_ends(tmp_path):
    lines = ['Observation id,Media file,Behavior,Behavior type,Start (s),Stop (s),Duration (s)']
    lines += [f'a,walk.mp4,{label},STATE,{t},{end},{end - t}' for t, end, label in EVENTS]
    same(read(tmp_path, '\n'.join(lines)))
    found = read(tmp_path, '\n'.join([*lines, 'a,walk.mp4,cough,POINT,7.0,7.0,NA']))
    same(found)
    assert found.notes == ('1 events of length 0 left out',)


def eaf(slots, annotations):
    times = ''.join(f'<TIME_SLOT TIME_SLOT_ID="ts{k}" TIME_VALUE="{t}"/>' for k, t in slots.items())
    found = ''.join(
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{k}" TIME_SLOT_REF1="ts{a}" '
        f'TIME_SLOT_REF2="ts{b}"><ANNOTATION_VALUE>{label}</ANNOTATION_VALUE>'
        '</ALIGNABLE_ANNOTATION></ANNOTATION>'
        for k, (a, b, label) in enumerate(annotations)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ANNOTATION_DOCUMENT VERSION="3.0">'
        f'<TIME_ORDER>{times}</TIME_ORDER><TIER TIER_ID="hands">{found}</TIER>'
        '</ANNOTATION_DOCUMENT>'
    )


def test_elan(tmp_path):
    text = eaf({1: 1500, 2: 2500, 3: 4000, 4: 6250}, [(1, 2, 'smoke'), (3, 4, 'drink')])
    same(read(tmp_path, text, 'a.eaf'))
    bomb = text.replace(
        '<ANNOTATION_DOCUMENT', '<!DOCTYPE x [<!ENTITY y "z">]><ANNOTATION_DOCUMENT'
    )
    with pytest.raises(InputError, match='declarations of entities'):
        read(tmp_path, bomb, 'a.eaf')
    with pytest.raises(InputError, match=r'a\.eaf: damaged'):
        read(tmp_path, text[:-20], 'a.eaf')


def test_via(tmp_path):
    value = {
        'project': {'pname': 'x'},
        'attribute': {'1': {'aname': 'act', 'options': {'0': 'smoke', '1': 'drink'}}},
        'file': {'1': {'fid': '1', 'fname': 'walk.mp4'}},
        'view': {'1': {'fid_list': ['1']}},
        'metadata': {
            f'1_{k}': {'vid': '1', 'z': [start, end], 'xy': [], 'av': {'1': str(k)}}
            for k, (start, end, _) in enumerate(EVENTS)
        },
    }
    same(read(tmp_path, json.dumps(value), 'a.json'))


def test_label_studio(tmp_path):
    def task(ranges):
        results = [{'id': 'r', 'value': value} for value in ranges]
        return json.dumps([{'data': {'video': 'a/walk.mp4'}, 'annotations': [{'result': results}]}])

    seconds = [{'start': a, 'end': b, 'timeserieslabels': [label]} for a, b, label in EVENTS]
    same(read(tmp_path, task(seconds), 'a.json'))
    frames = [
        {'ranges': [{'start': int(a * 20), 'end': int(b * 20)}], 'timelinelabels': [label]}
        for a, b, label in EVENTS
    ]
    same(in_seconds(read(tmp_path, task(frames), 'a.json'), 20.0))
    with pytest.raises(InputError, match='expected a project of VIA 3 or Label Studio'):
        read(tmp_path, '{"a": 1}', 'a.json')


def test_audacity(tmp_path):
    same(read(tmp_path, ''.join(f'{a:.6f}\t{b:.6f}\t{label}\n' for a, b, label in EVENTS), 'a.txt'))


def test_a_file_of_several_videos(tmp_path):
    path = tmp_path / 'all.csv'
    path.write_text(
        'file,start,end,label\nx/walk.mp4,1.5,2.5,smoke\nrun,0,1,rest\nwalk,4,6.25,drink\nrest,,,\n,,,\n'
    )
    found = read_videos(path, 1)
    assert sorted(found) == ['rest', 'run', 'walk']
    assert not len(found['rest'].start)  # which has a row, and no event
    same(found['walk'])
    with pytest.raises(InputError, match='labels of 3 videos'):
        read_intervals(path, 1)


def test_overlaps_of_a_rounding_are_cut_and_real_ones_named_with_all_digits(tmp_path):
    text = 'start,end,label\n1200.1,1234.568,smoke\n1234.567,1240,none\n'
    found = read(tmp_path, text)
    assert found.start[1] == 1234.568 and found.notes == ('1 overlaps of a rounding cut',)
    message = r'line 3: start: found 1234\.5, expected at least 1234\.568'
    with pytest.raises(InputError, match=message):
        read(tmp_path, text.replace('1234.567', '1234.5'))


def test_events_without_length_are_left_out_and_equal_ones_joined(tmp_path):
    found = read(tmp_path, 'start,end,label\n0,2,a\n1,3,a\n5,5,b\n4,6,b\n')
    assert (found.start.tolist(), found.end.tolist()) == ([0, 4], [3, 6])
    assert found.notes == (
        '1 events of length 0 left out',
        '1 overlapping events of one label joined',
    )


def samples():
    """A small file of each format, by its ending."""
    value = {'start': 1, 'end': 2, 'timeserieslabels': ['a']}
    return {
        'csv': rows(('start', 'end', 'label')),
        'eaf': eaf({1: 1500, 2: 2500, 3: 4000, 4: 6250}, [(1, 2, 'smoke'), (3, 4, 'drink')]),
        'json': json.dumps([{'data': {}, 'annotations': [{'result': [{'value': value}]}]}]),
        'txt': ''.join(f'{a:.6f}\t{b:.6f}\t{label}\n' for a, b, label in EVENTS),
    }


@pytest.mark.parametrize('sample', samples())
def test_mutated_files_give_intervals_or_one_line(tmp_path, sample):
    rng, whole = np.random.default_rng(0), samples()[sample].encode()
    path = tmp_path / f'a.{sample}'
    for _ in range(200):
        content = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(content)))
            if rng.random() < 0.5:
                content[at] = rng.integers(256)
            else:
                del content[at : at + int(rng.integers(1, 30))]
            if not content:
                break
        path.write_bytes(content)
        try:
            found = read_intervals(path, 1)
            assert (found.end > found.start).all() and (np.diff(found.start) > 0).all()
        except InputError as error:
            assert str(path) in str(error) and '\n' not in str(error)
