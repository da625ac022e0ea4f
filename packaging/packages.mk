# The source archive, and later packages made of it, for the Makefile. What is made lies in build/dist and does not
# depend on where, when or by whom it is made.

# The time that archives and packages bear: the last commit's, or that of the files of an unpacked archive, which is the
# same. https://reproducible-builds.org/specs/source-date-epoch/
SOURCE_DATE_EPOCH ?= $(shell if test -e .git; then git log -1 --format=%ct; else stat -c %Y VERSION; fi)
export SOURCE_DATE_EPOCH

DIST    ?= build/dist
ARCHIVE := $(DIST)/tapgate-$(VERSION).tar.gz

.PHONY: dist

# What git knows, as it lies here, so that changes can be tried before they are committed; where there is no git, all
# there is but what was built and what a distribution adds.
dist:
	rm -rf $(DIST) && mkdir -p $(DIST)
	if test -e .git; then \
		git ls-files -z -- ':!debian' >$(DIST)/found && \
		{ git diff --quiet HEAD || echo 'dist: with changes that are not committed' >&2; }; \
	else \
		find . \( -path ./build -o -path ./debian -o -path ./.pc \) -prune -o -type f -printf '%P\0' >$(DIST)/found; \
	fi
	LC_ALL=C sort -z $(DIST)/found >$(DIST)/files
	tar --create --file $(DIST)/tar --no-recursion --null --files-from $(DIST)/files --format=ustar \
		--transform 's|^|tapgate-$(VERSION)/|' --mtime @$(SOURCE_DATE_EPOCH) --owner 0 --group 0 --numeric-owner \
		--mode u=rwX,go=rX
	gzip -9n <$(DIST)/tar >$(ARCHIVE)
	rm $(DIST)/found $(DIST)/files $(DIST)/tar
	@echo 'made $(ARCHIVE)'
