import { describe, expect, it } from 'vitest';
import { problems, route, routeOf } from './objects.ts';

const websocket = (value: unknown) => route({ websocket: value });

describe('websocket of a Route', () => {
  it('absent says nothing, and what is left out of it is as open as the default', () => {
    expect(routeOf(route()).websocket).toBeUndefined();
    expect(routeOf(websocket({})).websocket).toEqual({ enabled: true, allowedOrigins: undefined });
    expect(routeOf(websocket({ enabled: false })).websocket).toEqual({ enabled: false, allowedOrigins: undefined });
  });

  it('takes origins as browsers send them, and all', () => {
    const allowedOrigins = ['https://app.example.com', 'http://localhost:8080', 'https://[2001:db8::1]:8443', '*'];
    expect(routeOf(websocket({ allowedOrigins })).websocket).toEqual({ enabled: true, allowedOrigins });
  });

  it.each([
    ['https://app.example.com/', 'write "https://app.example.com"'],
    ['https://APP.example.com', 'write "https://app.example.com"'],
    ['https://app.example.com:443', 'write "https://app.example.com"'],
    ['HTTPS://app.example.com', 'write "https://app.example.com"'],
    ['https://user@app.example.com', 'write "https://app.example.com"'],
    ['app.example.com', 'must be an origin'],
    ['https://*.example.com', 'write each origin'],
    ['null', 'must be an origin'],
    ['wss://app.example.com', 'must be an origin'],
    ['https://', 'must be an origin'],
  ])('refuses %s and says what to write', (origin, message) => {
    const [found, ...others] = problems(websocket({ allowedOrigins: [origin] }));
    expect(others).toEqual([]);
    expect(found).toContain('spec.websocket.allowedOrigins[0]');
    expect(found).toContain(message);
  });

  it('refuses an origin twice, an empty list and what it does not know', () => {
    expect(problems(websocket({ allowedOrigins: ['*', '*'] })).join()).toContain('is there twice');
    expect(problems(websocket({ allowedOrigins: [] }))).toHaveLength(1);
    expect(problems(websocket({ allowedOrigin: ['*'] })).join()).toContain('allowedOrigin');
    expect(problems(websocket({ enabled: 'no' }))).toHaveLength(1);
  });
});
