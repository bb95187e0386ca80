/*
 * fuzz_main.c - the main of a fuzz target where libFuzzer's is not: runs it on
 * each file that is named, and on those in folders that are, and says how many
 * there were.  An input that is not fine aborts.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t len = 0, size = 0;
	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	for (;;) {
		/* Exactly as large as the input: sanitizers see the end. */
		uint8_t piece[4096];
		const size_t n = fread(piece, 1, sizeof(piece), f);
		if (!n)
			break;
		size += n;
		uint8_t *grown = realloc(data, size);
		if (!grown)
			abort();
		data = grown;
		memcpy(data + len, piece, n);
		len += n;
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data ? data : (const uint8_t *)"", len);
	free(data);
	return 0;
}

static int replay_folder(const char *path, unsigned int *count)
{
	struct dirent **entries;
	const int n = scandir(path, &entries, NULL, alphasort);
	int rc = n < 0 && errno != ENOTDIR ? -1 : 0;
	if (n < 0)
		return rc ? rc : (++*count, replay(path));
	for (int i = 0; i < n; i++) {
		char file[4096];
		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && !rc) {
			rc = replay(file);
			++*count;
		}
		free(entries[i]);
	}
	free(entries);
	return rc;
}

int main(int argc, char **argv)
{
	unsigned int count = 0;
	for (int i = 1; i < argc; i++) {
		if (replay_folder(argv[i], &count)) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
			return EXIT_FAILURE;
		}
	}
	printf("%u inputs\n", count);
	return EXIT_SUCCESS;
}
