import { describe, expect, it } from 'vitest';
import { complaints, parseFrameList, parseInputHeader } from './ffmpeg-output.js';

describe('parseInputHeader', () => {
  it('reads the description of a video as old and new releases write it', () => {
    const log = (stream: string) =>
      `Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:a.mp4':
  Metadata:
    title           : Video: 12x12, a trap
  Duration: 00:00:08.20, start: 0.040000, bitrate: 251 kb/s
${stream}
At least one output file must be specified`;
    const expected = {
      formats: ['mov', 'mp4', 'm4a', '3gp', '3g2', 'mj2'],
      width: 224,
      height: 168,
      framesPerSecond: 29.97,
      startSeconds: 0.04,
      colour: { matrix: 'bt601', fullRange: false },
    };
    for (const stream of [
      '    Stream #0:0(und): Video: h264 (High) (avc1 / 0x31637661), yuv420p, 224x168 [SAR 1:1 DAR 4:3], 182 kb/s, 29.97 fps, 30k tbr',
      '  Stream #0:1[0x1](eng): Video: vp9 (Profile 0) (vp09 / 0x39307076), yuv420p(tv, smpte170m/bt709/unknown, progressive), 224x168, 29.97 fps, 29.97 tbr (default)',
    ]) {
      expect(parseInputHeader(log(stream))).toEqual(expected);
    }
    const turned = `  Stream #0:0: Video: hevc, yuv420p, 224x168, 29.97 fps
      Side data:
        displaymatrix: rotation of -90.00 degrees`;
    expect(parseInputHeader(log(turned))).toEqual({ ...expected, width: 168, height: 224 });
    expect(parseInputHeader(log('  Stream #0:0: Audio: aac, 44100 Hz'))).toBeUndefined();
  });

  it.each([
    ['yuv420p(tv, bt709)', { matrix: 'bt709', fullRange: false }],
    ['yuv420p(pc, bt2020nc/bt2020/smpte2084)', { matrix: 'bt2020', fullRange: true }],
    ['yuvj420p', { matrix: 'bt601', fullRange: true }],
    ['yuv420p(unknown/bt709/bt709)', { matrix: 'bt601', fullRange: false }],
    ['yuv420p10le(tv, bt709)', undefined],
    ['yuv444p', undefined],
  ])('reads colours: %s', (format, colour) => {
    const stream = `  Stream #0:0: Video: h264 (High) (avc1 / 0x31637661), ${format}, 224x168, 25 fps`;
    expect(parseInputHeader(`Input #0, mov, from 'a':\n${stream}\n`)?.colour).toEqual(colour);
  });

  it('does not take the output for the input', () => {
    const log = "Input #0, wav, from 'a.wav':\nOutput #0, null:\n  Stream #0:0: Video: x, y, 4x4, 25 fps\n";
    expect(parseInputHeader(log)).toBeUndefined();
  });
});

describe('parseFrameList', () => {
  const line = (dts: string, pts: string) => `0, ${dts}, ${pts}, 512, 100, 0x12345678`;
  it('sorts times into the order of showing', () => {
    const text = ['#tb 0: 1/100', line('-4', '0'), line('0', '12'), line('4', '4'), line('8', '8')].join(
      '\n',
    );
    expect(parseFrameList(text)).toEqual({ count: 4, seconds: [0, 0.04, 0.08, 0.12] });
  });
  it('gives no times where one is missing or comes twice', () => {
    expect(parseFrameList(['#tb 0: 1/25', line('0', '0'), line('1', 'NOPTS')].join('\n'))).toEqual({
      count: 2,
    });
    expect(parseFrameList(['#tb 0: 1/25', line('0', '3'), line('1', '3')].join('\n'))).toEqual({ count: 2 });
    expect(parseFrameList('')).toEqual({ count: 0, seconds: [] });
  });
});

describe('complaints', () => {
  it('keeps what went wrong and drops addresses and progress', () => {
    const log = `Input #0, mov, from '/input.mp4':
[mov,mp4 @ 0x55d0c0ffee] moov atom not found
file:/a/b.mp4: Invalid data found when processing input
frame=    0 fps=0.0 size=0kB error=0
Aborted()`;
    expect(complaints(log)).toBe('moov atom not found; Invalid data found when processing input');
    expect(complaints('')).toBe('ffmpeg did not say why');
  });
});
