import { describe, expect, it } from 'vitest';
import { majorVersion, plannedPackages, privateSources } from './apt.js';

describe('privateSources', () => {
  it('takes over the release from deb822 sources and adds its backports', () => {
    const text = `Types: deb
# a mirror nearby
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /keys/debian.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main`;
    expect(privateSources([text], 'bookworm')).toBe(`Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main
Signed-By: /keys/debian.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
`);
  });

  it('takes over one-line sources with their key', () => {
    const text = `# comment
deb [arch=amd64 signed-by=/keys/u.gpg] http://mirror.example/ubuntu noble main restricted universe
deb-src http://mirror.example/ubuntu noble main`;
    expect(privateSources([text], 'noble')).toBe(`Types: deb
URIs: http://mirror.example/ubuntu
Suites: noble noble-backports
Components: main universe
Signed-By: /keys/u.gpg
`);
  });

  it('asks the same archives for another release', () => {
    const text = 'deb http://x bookworm main\ndeb http://y/security bookworm-security main';
    expect(privateSources([text], 'bookworm', 'trixie').match(/^(URIs|Suites): .*$/gm)).toEqual([
      'URIs: http://x',
      'Suites: trixie trixie-backports',
      'URIs: http://y/security',
      'Suites: trixie-security',
    ]);
  });

  it('leaves out other suites, other components and disabled sources', () => {
    const disabled = 'Types: deb\nEnabled: no\nURIs: http://x\nSuites: bookworm\nComponents: main';
    const other = 'deb http://x nodistro main\ndeb http://x bookworm stable';
    expect(privateSources([disabled, other], 'bookworm')).toBe('');
  });
});

describe('plannedPackages', () => {
  it('reads new packages and upgrades', () => {
    const text = `Reading package lists...
Inst libdrm2 [2.4.114-1+b1] (2.4.123-1~bpo12+1 Backports [amd64])
Inst mesa-vulkan-drivers (25.0.7-2~bpo12+1 Backports [amd64])
Conf libdrm2 (2.4.123-1~bpo12+1 Backports [amd64])`;
    expect(plannedPackages(text)).toEqual([
      { name: 'libdrm2', version: '2.4.123-1~bpo12+1' },
      { name: 'mesa-vulkan-drivers', version: '25.0.7-2~bpo12+1' },
    ]);
  });
});

it('majorVersion reads past an epoch', () => {
  expect(majorVersion('25.0.7-2~bpo12+1')).toBe(25);
  expect(majorVersion('1:15.0.6-4')).toBe(15);
});
