# SPDX-License-Identifier: MIT
# The source archive and packages made of it, for the Makefile: `make dist`, `make deb`, `make rpm`. What is made
# lies in build/dist, and does not depend on where, when or by whom it is made.

# Whom the packages name. Who publishes them gives a name and an address of his own.
MAINTAINER ?= tapgate maintainers <maintainers@tapgate.invalid>
# Where tapgate is to be found, which the packages name.
HOMEPAGE   ?= https://tapgate.invalid
# What follows the version in packages.
REVISION   ?= 0upstream1

# The time that archives and packages bear: the last commit's, or that of the files of an unpacked archive, which is the
# same. https://reproducible-builds.org/specs/source-date-epoch/
SOURCE_DATE_EPOCH ?= $(shell test -e .git && git log -1 --format=%ct 2>/dev/null || stat -c %Y VERSION)
export SOURCE_DATE_EPOCH

DIST    ?= build/dist
ARCHIVE := $(DIST)/tapgate-$(VERSION).tar.gz

.PHONY: dist deb rpm recipes units check-units

# What git knows, as it lies here, so that changes can be tried before they are committed; where there is no git, all
# there is but what was built and what a distribution adds.
dist:
	rm -rf $(ARCHIVE) $(DIST)/tapgate-$(VERSION) && mkdir -p $(DIST)
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
	umask 022 && gzip -9n <$(DIST)/tar >$(ARCHIVE)
	rm $(DIST)/found $(DIST)/files $(DIST)/tar
	@echo 'made $(ARCHIVE)'

# The unit tests alone, which need no kernel and no privilege, for builds of packages.
units: $(UNIT)
check-units: units
	for test in $(UNIT); do $$test || exit 1; done

# Debian's source package and its packages. The archive is the upstream source, packaging/debian the rest.
deb: dist
	tests/run/install-packages deb
	rm -f $(DIST)/*.deb $(DIST)/tapgate_*
	umask 022 && tar --extract --directory $(DIST) --file $(ARCHIVE)
	mv $(ARCHIVE) $(DIST)/tapgate_$(VERSION).orig.tar.gz
	umask 022 && cp -r $(DIST)/tapgate-$(VERSION)/packaging/debian $(DIST)/tapgate-$(VERSION)/debian
	umask 022 && packaging/changelog deb '$(REVISION)' '$(MAINTAINER)' >$(DIST)/tapgate-$(VERSION)/debian/changelog
	sed -i 's|@MAINTAINER@|$(MAINTAINER)|; s|@HOMEPAGE@|$(HOMEPAGE)|' $(DIST)/tapgate-$(VERSION)/debian/control
	umask 022 && cd $(DIST)/tapgate-$(VERSION) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		dpkg-buildpackage -us -uc $(BUILDPACKAGE) >../deb.log 2>&1 || { cat ../deb.log >&2; exit 1; }
	rm -r $(DIST)/tapgate-$(VERSION)
	cd $(DIST) && for package in *.deb; do echo "made $(DIST)/$$package"; done

# RPMBUILD may be told more, as --nodeps where what it needs was not installed by rpm. Time and host of the build are
# left out (rpm's macros file), and the modes of the sources are not the umask's. The source package has the spec file
# with every path filled in, and the other package the sum of the source package if one run makes both: so they are made
# one by one, the first with paths that are relative.
rpm: dist
	tests/run/install-packages rpm
	rm -rf $(DIST)/rpm $(DIST)/*.rpm $(DIST)/rpm.log && mkdir -p $(DIST)/rpm
	umask 022 && sed 's|@VERSION@|$(VERSION)|; s|@REVISION@|$(REVISION)|; s|@HOMEPAGE@|$(HOMEPAGE)|' packaging/rpm/tapgate.spec >$(DIST)/tapgate.spec
	packaging/changelog rpm '$(REVISION)' '$(MAINTAINER)' >>$(DIST)/tapgate.spec
	cd $(DIST) && build() { \
		env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL rpmbuild "$$@" --define '_buildhost localhost' \
			--define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' \
			$(RPMBUILD) tapgate.spec >>rpm.log 2>&1 || { cat rpm.log >&2; exit 1; }; \
	} && build -bs --define '_topdir rpm' --define '_sourcedir .' && \
		build -bb --define "_topdir $$PWD/rpm" --define "_sourcedir $$PWD"
	mv $(DIST)/rpm/RPMS/*/*.rpm $(DIST)/rpm/SRPMS/*.rpm $(DIST)
	rm -r $(DIST)/rpm
	cd $(DIST) && for package in *.rpm; do echo "made $(DIST)/$$package"; done

# What Alpine's abuild and Arch's makepkg build packages of: each in a directory, with the archive.
recipes: dist
	rm -rf $(DIST)/alpine $(DIST)/arch
	for recipe in alpine/APKBUILD arch/PKGBUILD; do \
		mkdir -p $(DIST)/$${recipe%/*} && cp packaging/$${recipe%/*}/* $(ARCHIVE) $(DIST)/$${recipe%/*}/ && \
		sed -i "s|@VERSION@|$(VERSION)|; s|@HOMEPAGE@|$(HOMEPAGE)|; s|@SHA512@|$$(sha512sum <$(ARCHIVE) | cut -d ' ' -f 1)|" $(DIST)/$$recipe && \
		echo "made $(DIST)/$$recipe" || exit 1; \
	done
