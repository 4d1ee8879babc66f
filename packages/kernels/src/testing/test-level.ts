/** Whether everything is to be tested (`npm run test:full`), or what a change must pass within minutes. */
export const isFullTest = process.env['TUBELET_TEST'] === 'full';
