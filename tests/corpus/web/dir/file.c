/* the first line of dir/file.c, which a test looks for */
int main(void)
{
	return 0;
}
