document.querySelector('main').textContent = 'To be written.';
