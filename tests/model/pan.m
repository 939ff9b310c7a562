#define rand	pan_rand
#define pthread_equal(a,b)	((a)==(b))
#if defined(HAS_CODE) && defined(VERBOSE)
	#ifdef BFS_PAR
		bfs_printf("Pr: %d Tr: %d\n", II, t->forw);
	#else
		cpu_printf("Pr: %d Tr: %d\n", II, t->forw);
	#endif
#endif
	switch (t->forw) {
	default: Uerror("bad forward move");
	case 0:	/* if without executable clauses */
		continue;
	case 1: /* generic 'goto' or 'skip' */
		IfNotBlocked
		_m = 3; goto P999;
	case 2: /* generic 'else' */
		IfNotBlocked
		if (trpt->o_pm&1) continue;
		_m = 3; goto P999;

		 /* PROC :init: */
	case 3: // STATE 1 - commit.pml:205 - [byzantine = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[0][1] = 1;
		(trpt+1)->bup.oval = ((int)now.byzantine);
		now.byzantine = 0;
#ifdef VAR_RANGES
		logval("byzantine", ((int)now.byzantine));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 4: // STATE 2 - commit.pml:206 - [byzantine = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[0][2] = 1;
		(trpt+1)->bup.oval = ((int)now.byzantine);
		now.byzantine = 1;
#ifdef VAR_RANGES
		logval("byzantine", ((int)now.byzantine));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 5: // STATE 3 - commit.pml:207 - [byzantine = 2] (0:0:1 - 1)
		IfNotBlocked
		reached[0][3] = 1;
		(trpt+1)->bup.oval = ((int)now.byzantine);
		now.byzantine = 2;
#ifdef VAR_RANGES
		logval("byzantine", ((int)now.byzantine));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 6: // STATE 4 - commit.pml:208 - [byzantine = 3] (0:0:1 - 1)
		IfNotBlocked
		reached[0][4] = 1;
		(trpt+1)->bup.oval = ((int)now.byzantine);
		now.byzantine = 3;
#ifdef VAR_RANGES
		logval("byzantine", ((int)now.byzantine));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 7: // STATE 7 - commit.pml:211 - [forged = ((1<<1)|(1<<2))] (0:0:1 - 1)
		IfNotBlocked
		reached[0][7] = 1;
		(trpt+1)->bup.oval = ((int)now.forged);
		now.forged = ((1<<1)|(1<<2));
#ifdef VAR_RANGES
		logval("forged", ((int)now.forged));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 8: // STATE 8 - commit.pml:212 - [forged = (1<<0)] (0:0:1 - 1)
		IfNotBlocked
		reached[0][8] = 1;
		(trpt+1)->bup.oval = ((int)now.forged);
		now.forged = (1<<0);
#ifdef VAR_RANGES
		logval("forged", ((int)now.forged));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 9: // STATE 9 - commit.pml:214 - [((byzantine!=0))] (128:0:1 - 1)
		IfNotBlocked
		reached[0][9] = 1;
		if (!((((int)now.byzantine)!=0)))
			continue;
		/* merge: value[0] = 1(0, 10, 128) */
		reached[0][10] = 1;
		(trpt+1)->bup.oval = ((int)now.value[0]);
		now.value[0] = 1;
#ifdef VAR_RANGES
		logval("value[0]", ((int)now.value[0]));
#endif
		;
		/* merge: .(goto)(0, 18, 128) */
		reached[0][18] = 1;
		;
		/* merge: .(goto)(0, 20, 128) */
		reached[0][20] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 10: // STATE 11 - commit.pml:215 - [((byzantine!=1))] (128:0:1 - 1)
		IfNotBlocked
		reached[0][11] = 1;
		if (!((((int)now.byzantine)!=1)))
			continue;
		/* merge: value[1] = 1(0, 12, 128) */
		reached[0][12] = 1;
		(trpt+1)->bup.oval = ((int)now.value[1]);
		now.value[1] = 1;
#ifdef VAR_RANGES
		logval("value[1]", ((int)now.value[1]));
#endif
		;
		/* merge: .(goto)(0, 18, 128) */
		reached[0][18] = 1;
		;
		/* merge: .(goto)(0, 20, 128) */
		reached[0][20] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 11: // STATE 13 - commit.pml:216 - [((byzantine!=2))] (128:0:1 - 1)
		IfNotBlocked
		reached[0][13] = 1;
		if (!((((int)now.byzantine)!=2)))
			continue;
		/* merge: value[2] = 1(0, 14, 128) */
		reached[0][14] = 1;
		(trpt+1)->bup.oval = ((int)now.value[2]);
		now.value[2] = 1;
#ifdef VAR_RANGES
		logval("value[2]", ((int)now.value[2]));
#endif
		;
		/* merge: .(goto)(0, 18, 128) */
		reached[0][18] = 1;
		;
		/* merge: .(goto)(0, 20, 128) */
		reached[0][20] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 12: // STATE 15 - commit.pml:217 - [((byzantine!=3))] (128:0:1 - 1)
		IfNotBlocked
		reached[0][15] = 1;
		if (!((((int)now.byzantine)!=3)))
			continue;
		/* merge: value[3] = 1(0, 16, 128) */
		reached[0][16] = 1;
		(trpt+1)->bup.oval = ((int)now.value[3]);
		now.value[3] = 1;
#ifdef VAR_RANGES
		logval("value[3]", ((int)now.value[3]));
#endif
		;
		/* merge: .(goto)(0, 18, 128) */
		reached[0][18] = 1;
		;
		/* merge: .(goto)(0, 20, 128) */
		reached[0][20] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 13: // STATE 96 - commit.pml:132 - [D_STEP132]
		IfNotBlocked

		reached[0][96] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		if (TstOnly) return 1;


		reached[0][96] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		sv_save();
		S_093_0: /* 2 */
S_021_0: /* 2 */
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
S_022_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_083_0: /* 2 */
S_082_0: /* 2 */
S_023_0: /* 2 */
		if (!((((int)now.fake)>3)))
			goto S_082_1;
S_024_0: /* 2 */
		goto S_085_0;	/* 'goto' */
S_082_1: /* 3 */
S_025_0: /* 2 */
		if (!(((((int)now.fake)<=3)&& !((((int)now.forged)&(1<<((int)now.fake)))))))
			goto S_082_2;
S_026_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_083_0; /* ';' */
S_082_2: /* 3 */
S_027_0: /* 2 */
		if (!(((((int)now.fake)<=3)&&(((int)now.forged)&(1<<((int)now.fake))))))
			goto S_082_3;
S_028_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_079_0: /* 2 */
S_078_0: /* 2 */
S_029_0: /* 2 */
		if (!((((int)now.parents)==(1<<4))))
			goto S_078_1;
S_030_0: /* 2 */
		goto S_081_0;	/* 'goto' */
S_078_1: /* 3 */
S_031_0: /* 2 */
		if (!((((int)now.parents)<(1<<4))))
			goto S_078_2;
S_032_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_033_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_034_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_035_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_036_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
S_061_0: /* 2 */
S_060_0: /* 2 */
S_037_0: /* 2 */
		if (!((((int)now.author)==4)))
			goto S_060_1;
S_038_0: /* 2 */
		goto S_075_0;	/* 'goto' */
S_060_1: /* 3 */
S_039_0: /* 2 */
		if (!(((((int)now.author)<4)&& !((((int)now.parents)&(1<<((int)now.author)))))))
			goto S_060_2;
S_040_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_061_0; /* ';' */
S_060_2: /* 3 */
S_041_0: /* 2 */
		if (!(((((int)now.author)<4)&&(((int)now.parents)&(1<<((int)now.author))))))
			goto S_060_3;
S_042_0: /* 2 */
		now.v = ( ((((int)now.author)==((int)now.byzantine))) ? (((int)now.fake)) : (((int)now.value[ Index(((int)now.author), 4) ])) );
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_047_0: /* 2 */
S_043_0: /* 2 */
		if (!((((int)now.v)==4)))
			goto S_047_1;
S_044_0: /* 2 */
		goto S_075_0;	/* 'goto' */
		goto S_048_0;
S_047_1: /* 3 */
S_045_0: /* 2 */
		/* else */;
S_046_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_048_0;
S_047_2: /* 3 */
		Uerror("blocking sel in d_step (nr.0, near line 95)");
S_048_0: /* 2 */
S_049_0: /* 2 */
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_057_0: /* 2 */
S_050_0: /* 2 */
		if (!((0==0)))
			goto S_057_1;
S_051_0: /* 2 */
		now.acc = ( ((((int)now.acc)==0)) ? (((int)now.v)) : (((int)now.acc)) );
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_058_0;
S_057_1: /* 3 */
S_052_0: /* 2 */
		if (!((0==1)))
			goto S_057_2;
S_053_0: /* 2 */
		now.votes_x = (((int)now.votes_x)+(((int)now.v)&1));
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_054_0: /* 2 */
		now.votes_y = (((int)now.votes_y)+((((int)now.v)&2)>>1));
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_058_0;
S_057_2: /* 3 */
S_055_0: /* 2 */
		if (!((0==2)))
			goto S_057_3;
S_056_0: /* 2 */
		now.acc = (((int)now.acc)|((int)now.v));
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_058_0;
S_057_3: /* 3 */
		Uerror("blocking sel in d_step (nr.1, near line 100)");
S_058_0: /* 2 */
S_059_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_061_0; /* ';' */
S_060_3: /* 3 */
		Uerror("blocking sel in d_step (nr.2, near line 90)");
S_062_0: /* 2 */
		goto S_075_0;	/* 'break' */
S_075_0: /* 2 */
S_063_0: /* 2 */
		if (!(((((int)now.author)==4)&&(((int)now.count)>=3))))
			goto S_075_1;
S_070_0: /* 2 */
S_064_0: /* 2 */
		if (!(((0==1)&&(((int)now.votes_x)>=3))))
			goto S_070_1;
S_065_0: /* 2 */
		now.acc = 1;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_071_0;
S_070_1: /* 3 */
S_066_0: /* 2 */
		if (!((((0==1)&&(((int)now.votes_x)<3))&&(((int)now.votes_y)>=3))))
			goto S_070_2;
S_067_0: /* 2 */
		now.acc = 2;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_071_0;
S_070_2: /* 3 */
S_068_0: /* 2 */
		/* else */;
S_069_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_071_0;
S_070_3: /* 3 */
		Uerror("blocking sel in d_step (nr.3, near line 114)");
S_071_0: /* 2 */
S_072_0: /* 2 */
		now.possible = (((int)now.possible)|(1<<((int)now.acc)));
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		goto S_076_0;
S_075_1: /* 3 */
S_073_0: /* 2 */
		/* else */;
S_074_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_076_0;
S_075_2: /* 3 */
		Uerror("blocking sel in d_step (nr.4, near line 112)");
S_076_0: /* 2 */
S_077_0: /* 2 */
		now.parents = (((int)now.parents)+1);
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
		goto S_079_0; /* ';' */
S_078_2: /* 3 */
		Uerror("blocking sel in d_step (nr.5, near line 86)");
S_080_0: /* 2 */
		goto S_081_0;	/* 'break' */
S_081_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_083_0; /* ';' */
S_082_3: /* 3 */
		Uerror("blocking sel in d_step (nr.6, near line 81)");
S_084_0: /* 2 */
		goto S_085_0;	/* 'break' */
S_085_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_086_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_087_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_088_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_089_0: /* 2 */
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_090_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_091_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_092_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_094_0;
S_094_0: /* 2 */
		now.forged = ((int)now.possible);
#ifdef VAR_RANGES
		logval("forged", ((int)now.forged));
#endif
		;
		goto S_096_0;
S_096_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 14: // STATE 97 - commit.pml:133 - [author = 0] (0:121:2 - 1)
		IfNotBlocked
		reached[0][97] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(121, 98, 121) */
		reached[0][98] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(0, 122, 121) */
		reached[0][122] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 15: // STATE 99 - commit.pml:135 - [((author==4))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][99] = 1;
		if (!((((int)now.author)==4)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 16: // STATE 101 - commit.pml:136 - [(((author<4)&&(author==byzantine)))] (121:0:2 - 1)
		IfNotBlocked
		reached[0][101] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)==((int)now.byzantine)))))
			continue;
		/* merge: value[author] = 0(121, 102, 121) */
		reached[0][102] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: author = (author+1)(121, 103, 121) */
		reached[0][103] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 122, 121) */
		reached[0][122] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 17: // STATE 104 - commit.pml:137 - [(((author<4)&&(author!=byzantine)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][104] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)!=((int)now.byzantine)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 18: // STATE 105 - commit.pml:139 - [((possible&(1<<0)))] (121:0:3 - 1)
		IfNotBlocked
		reached[0][105] = 1;
		if (!((((int)now.possible)&(1<<0))))
			continue;
		/* merge: value[author] = 0(121, 106, 121) */
		reached[0][106] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(121, 107, 121) */
		reached[0][107] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(121, 119, 121) */
		reached[0][119] = 1;
		;
		/* merge: author = (author+1)(121, 120, 121) */
		reached[0][120] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 122, 121) */
		reached[0][122] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 19: // STATE 108 - commit.pml:140 - [((possible&(1<<1)))] (121:0:3 - 1)
		IfNotBlocked
		reached[0][108] = 1;
		if (!((((int)now.possible)&(1<<1))))
			continue;
		/* merge: value[author] = 1(121, 109, 121) */
		reached[0][109] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 1;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(121, 110, 121) */
		reached[0][110] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(121, 119, 121) */
		reached[0][119] = 1;
		;
		/* merge: author = (author+1)(121, 120, 121) */
		reached[0][120] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 122, 121) */
		reached[0][122] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 20: // STATE 111 - commit.pml:141 - [((possible&(1<<2)))] (121:0:3 - 1)
		IfNotBlocked
		reached[0][111] = 1;
		if (!((((int)now.possible)&(1<<2))))
			continue;
		/* merge: value[author] = 2(121, 112, 121) */
		reached[0][112] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 2;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(121, 113, 121) */
		reached[0][113] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(121, 119, 121) */
		reached[0][119] = 1;
		;
		/* merge: author = (author+1)(121, 120, 121) */
		reached[0][120] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 122, 121) */
		reached[0][122] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 21: // STATE 114 - commit.pml:142 - [((possible&(1<<3)))] (121:0:3 - 1)
		IfNotBlocked
		reached[0][114] = 1;
		if (!((((int)now.possible)&(1<<3))))
			continue;
		/* merge: value[author] = 3(121, 115, 121) */
		reached[0][115] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 3;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(121, 116, 121) */
		reached[0][116] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(121, 119, 121) */
		reached[0][119] = 1;
		;
		/* merge: author = (author+1)(121, 120, 121) */
		reached[0][120] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 122, 121) */
		reached[0][122] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 22: // STATE 117 - commit.pml:143 - [value[author] = 4] (0:121:2 - 1)
		IfNotBlocked
		reached[0][117] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 4;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: .(goto)(121, 119, 121) */
		reached[0][119] = 1;
		;
		/* merge: author = (author+1)(121, 120, 121) */
		reached[0][120] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 122, 121) */
		reached[0][122] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 23: // STATE 120 - commit.pml:145 - [author = (author+1)] (0:121:1 - 6)
		IfNotBlocked
		reached[0][120] = 1;
		(trpt+1)->bup.oval = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 122, 121) */
		reached[0][122] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 24: // STATE 124 - commit.pml:147 - [((count>=(3-1)))] (235:0:3 - 3)
		IfNotBlocked
		reached[0][124] = 1;
		if (!((((int)now.count)>=(3-1))))
			continue;
		/* merge: possible = 0(235, 125, 235) */
		reached[0][125] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.possible);
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		/* merge: author = 0(235, 126, 235) */
		reached[0][126] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(235, 127, 235) */
		reached[0][127] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		_m = 3; goto P999; /* 3 */
	case 25: // STATE 203 - commit.pml:132 - [D_STEP132]
		IfNotBlocked

		reached[0][203] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		if (TstOnly) return 1;


		reached[0][203] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		sv_save();
		S_200_0: /* 2 */
S_128_0: /* 2 */
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
S_129_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_190_0: /* 2 */
S_189_0: /* 2 */
S_130_0: /* 2 */
		if (!((((int)now.fake)>3)))
			goto S_189_1;
S_131_0: /* 2 */
		goto S_192_0;	/* 'goto' */
S_189_1: /* 3 */
S_132_0: /* 2 */
		if (!(((((int)now.fake)<=3)&& !((((int)now.forged)&(1<<((int)now.fake)))))))
			goto S_189_2;
S_133_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_190_0; /* ';' */
S_189_2: /* 3 */
S_134_0: /* 2 */
		if (!(((((int)now.fake)<=3)&&(((int)now.forged)&(1<<((int)now.fake))))))
			goto S_189_3;
S_135_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_186_0: /* 2 */
S_185_0: /* 2 */
S_136_0: /* 2 */
		if (!((((int)now.parents)==(1<<4))))
			goto S_185_1;
S_137_0: /* 2 */
		goto S_188_0;	/* 'goto' */
S_185_1: /* 3 */
S_138_0: /* 2 */
		if (!((((int)now.parents)<(1<<4))))
			goto S_185_2;
S_139_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_140_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_141_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_142_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_143_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
S_168_0: /* 2 */
S_167_0: /* 2 */
S_144_0: /* 2 */
		if (!((((int)now.author)==4)))
			goto S_167_1;
S_145_0: /* 2 */
		goto S_182_0;	/* 'goto' */
S_167_1: /* 3 */
S_146_0: /* 2 */
		if (!(((((int)now.author)<4)&& !((((int)now.parents)&(1<<((int)now.author)))))))
			goto S_167_2;
S_147_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_168_0; /* ';' */
S_167_2: /* 3 */
S_148_0: /* 2 */
		if (!(((((int)now.author)<4)&&(((int)now.parents)&(1<<((int)now.author))))))
			goto S_167_3;
S_149_0: /* 2 */
		now.v = ( ((((int)now.author)==((int)now.byzantine))) ? (((int)now.fake)) : (((int)now.value[ Index(((int)now.author), 4) ])) );
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_154_0: /* 2 */
S_150_0: /* 2 */
		if (!((((int)now.v)==4)))
			goto S_154_1;
S_151_0: /* 2 */
		goto S_182_0;	/* 'goto' */
		goto S_155_0;
S_154_1: /* 3 */
S_152_0: /* 2 */
		/* else */;
S_153_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_155_0;
S_154_2: /* 3 */
		Uerror("blocking sel in d_step (nr.7, near line 95)");
S_155_0: /* 2 */
S_156_0: /* 2 */
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_164_0: /* 2 */
S_157_0: /* 2 */
		if (!((0==0)))
			goto S_164_1;
S_158_0: /* 2 */
		now.acc = ( ((((int)now.acc)==0)) ? (((int)now.v)) : (((int)now.acc)) );
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_165_0;
S_164_1: /* 3 */
S_159_0: /* 2 */
		if (!((0==1)))
			goto S_164_2;
S_160_0: /* 2 */
		now.votes_x = (((int)now.votes_x)+(((int)now.v)&1));
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_161_0: /* 2 */
		now.votes_y = (((int)now.votes_y)+((((int)now.v)&2)>>1));
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_165_0;
S_164_2: /* 3 */
S_162_0: /* 2 */
		if (!((0==2)))
			goto S_164_3;
S_163_0: /* 2 */
		now.acc = (((int)now.acc)|((int)now.v));
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_165_0;
S_164_3: /* 3 */
		Uerror("blocking sel in d_step (nr.8, near line 100)");
S_165_0: /* 2 */
S_166_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_168_0; /* ';' */
S_167_3: /* 3 */
		Uerror("blocking sel in d_step (nr.9, near line 90)");
S_169_0: /* 2 */
		goto S_182_0;	/* 'break' */
S_182_0: /* 2 */
S_170_0: /* 2 */
		if (!(((((int)now.author)==4)&&(((int)now.count)>=3))))
			goto S_182_1;
S_177_0: /* 2 */
S_171_0: /* 2 */
		if (!(((0==1)&&(((int)now.votes_x)>=3))))
			goto S_177_1;
S_172_0: /* 2 */
		now.acc = 1;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_178_0;
S_177_1: /* 3 */
S_173_0: /* 2 */
		if (!((((0==1)&&(((int)now.votes_x)<3))&&(((int)now.votes_y)>=3))))
			goto S_177_2;
S_174_0: /* 2 */
		now.acc = 2;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_178_0;
S_177_2: /* 3 */
S_175_0: /* 2 */
		/* else */;
S_176_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_178_0;
S_177_3: /* 3 */
		Uerror("blocking sel in d_step (nr.10, near line 114)");
S_178_0: /* 2 */
S_179_0: /* 2 */
		now.possible = (((int)now.possible)|(1<<((int)now.acc)));
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		goto S_183_0;
S_182_1: /* 3 */
S_180_0: /* 2 */
		/* else */;
S_181_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_183_0;
S_182_2: /* 3 */
		Uerror("blocking sel in d_step (nr.11, near line 112)");
S_183_0: /* 2 */
S_184_0: /* 2 */
		now.parents = (((int)now.parents)+1);
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
		goto S_186_0; /* ';' */
S_185_2: /* 3 */
		Uerror("blocking sel in d_step (nr.12, near line 86)");
S_187_0: /* 2 */
		goto S_188_0;	/* 'break' */
S_188_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_190_0; /* ';' */
S_189_3: /* 3 */
		Uerror("blocking sel in d_step (nr.13, near line 81)");
S_191_0: /* 2 */
		goto S_192_0;	/* 'break' */
S_192_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_193_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_194_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_195_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_196_0: /* 2 */
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_197_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_198_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_199_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_201_0;
S_201_0: /* 2 */
		now.forged = ((int)now.possible);
#ifdef VAR_RANGES
		logval("forged", ((int)now.forged));
#endif
		;
		goto S_203_0;
S_203_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 26: // STATE 204 - commit.pml:133 - [author = 0] (0:228:2 - 1)
		IfNotBlocked
		reached[0][204] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(228, 205, 228) */
		reached[0][205] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(0, 229, 228) */
		reached[0][229] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 27: // STATE 206 - commit.pml:135 - [((author==4))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][206] = 1;
		if (!((((int)now.author)==4)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 28: // STATE 208 - commit.pml:136 - [(((author<4)&&(author==byzantine)))] (228:0:2 - 1)
		IfNotBlocked
		reached[0][208] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)==((int)now.byzantine)))))
			continue;
		/* merge: value[author] = 0(228, 209, 228) */
		reached[0][209] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: author = (author+1)(228, 210, 228) */
		reached[0][210] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 229, 228) */
		reached[0][229] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 29: // STATE 211 - commit.pml:137 - [(((author<4)&&(author!=byzantine)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][211] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)!=((int)now.byzantine)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 30: // STATE 212 - commit.pml:139 - [((possible&(1<<0)))] (228:0:3 - 1)
		IfNotBlocked
		reached[0][212] = 1;
		if (!((((int)now.possible)&(1<<0))))
			continue;
		/* merge: value[author] = 0(228, 213, 228) */
		reached[0][213] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(228, 214, 228) */
		reached[0][214] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(228, 226, 228) */
		reached[0][226] = 1;
		;
		/* merge: author = (author+1)(228, 227, 228) */
		reached[0][227] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 229, 228) */
		reached[0][229] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 31: // STATE 215 - commit.pml:140 - [((possible&(1<<1)))] (228:0:3 - 1)
		IfNotBlocked
		reached[0][215] = 1;
		if (!((((int)now.possible)&(1<<1))))
			continue;
		/* merge: value[author] = 1(228, 216, 228) */
		reached[0][216] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 1;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(228, 217, 228) */
		reached[0][217] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(228, 226, 228) */
		reached[0][226] = 1;
		;
		/* merge: author = (author+1)(228, 227, 228) */
		reached[0][227] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 229, 228) */
		reached[0][229] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 32: // STATE 218 - commit.pml:141 - [((possible&(1<<2)))] (228:0:3 - 1)
		IfNotBlocked
		reached[0][218] = 1;
		if (!((((int)now.possible)&(1<<2))))
			continue;
		/* merge: value[author] = 2(228, 219, 228) */
		reached[0][219] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 2;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(228, 220, 228) */
		reached[0][220] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(228, 226, 228) */
		reached[0][226] = 1;
		;
		/* merge: author = (author+1)(228, 227, 228) */
		reached[0][227] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 229, 228) */
		reached[0][229] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 33: // STATE 221 - commit.pml:142 - [((possible&(1<<3)))] (228:0:3 - 1)
		IfNotBlocked
		reached[0][221] = 1;
		if (!((((int)now.possible)&(1<<3))))
			continue;
		/* merge: value[author] = 3(228, 222, 228) */
		reached[0][222] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 3;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(228, 223, 228) */
		reached[0][223] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(228, 226, 228) */
		reached[0][226] = 1;
		;
		/* merge: author = (author+1)(228, 227, 228) */
		reached[0][227] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 229, 228) */
		reached[0][229] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 34: // STATE 224 - commit.pml:143 - [value[author] = 4] (0:228:2 - 1)
		IfNotBlocked
		reached[0][224] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 4;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: .(goto)(228, 226, 228) */
		reached[0][226] = 1;
		;
		/* merge: author = (author+1)(228, 227, 228) */
		reached[0][227] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 229, 228) */
		reached[0][229] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 35: // STATE 227 - commit.pml:145 - [author = (author+1)] (0:228:1 - 6)
		IfNotBlocked
		reached[0][227] = 1;
		(trpt+1)->bup.oval = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 229, 228) */
		reached[0][229] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 36: // STATE 231 - commit.pml:147 - [((count>=(3-1)))] (342:0:3 - 3)
		IfNotBlocked
		reached[0][231] = 1;
		if (!((((int)now.count)>=(3-1))))
			continue;
		/* merge: possible = 0(342, 232, 342) */
		reached[0][232] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.possible);
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		/* merge: author = 0(342, 233, 342) */
		reached[0][233] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(342, 234, 342) */
		reached[0][234] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		_m = 3; goto P999; /* 3 */
	case 37: // STATE 310 - commit.pml:132 - [D_STEP132]
		IfNotBlocked

		reached[0][310] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		if (TstOnly) return 1;


		reached[0][310] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		sv_save();
		S_307_0: /* 2 */
S_235_0: /* 2 */
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
S_236_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_297_0: /* 2 */
S_296_0: /* 2 */
S_237_0: /* 2 */
		if (!((((int)now.fake)>3)))
			goto S_296_1;
S_238_0: /* 2 */
		goto S_299_0;	/* 'goto' */
S_296_1: /* 3 */
S_239_0: /* 2 */
		if (!(((((int)now.fake)<=3)&& !((((int)now.forged)&(1<<((int)now.fake)))))))
			goto S_296_2;
S_240_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_297_0; /* ';' */
S_296_2: /* 3 */
S_241_0: /* 2 */
		if (!(((((int)now.fake)<=3)&&(((int)now.forged)&(1<<((int)now.fake))))))
			goto S_296_3;
S_242_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_293_0: /* 2 */
S_292_0: /* 2 */
S_243_0: /* 2 */
		if (!((((int)now.parents)==(1<<4))))
			goto S_292_1;
S_244_0: /* 2 */
		goto S_295_0;	/* 'goto' */
S_292_1: /* 3 */
S_245_0: /* 2 */
		if (!((((int)now.parents)<(1<<4))))
			goto S_292_2;
S_246_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_247_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_248_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_249_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_250_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
S_275_0: /* 2 */
S_274_0: /* 2 */
S_251_0: /* 2 */
		if (!((((int)now.author)==4)))
			goto S_274_1;
S_252_0: /* 2 */
		goto S_289_0;	/* 'goto' */
S_274_1: /* 3 */
S_253_0: /* 2 */
		if (!(((((int)now.author)<4)&& !((((int)now.parents)&(1<<((int)now.author)))))))
			goto S_274_2;
S_254_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_275_0; /* ';' */
S_274_2: /* 3 */
S_255_0: /* 2 */
		if (!(((((int)now.author)<4)&&(((int)now.parents)&(1<<((int)now.author))))))
			goto S_274_3;
S_256_0: /* 2 */
		now.v = ( ((((int)now.author)==((int)now.byzantine))) ? (((int)now.fake)) : (((int)now.value[ Index(((int)now.author), 4) ])) );
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_261_0: /* 2 */
S_257_0: /* 2 */
		if (!((((int)now.v)==4)))
			goto S_261_1;
S_258_0: /* 2 */
		goto S_289_0;	/* 'goto' */
		goto S_262_0;
S_261_1: /* 3 */
S_259_0: /* 2 */
		/* else */;
S_260_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_262_0;
S_261_2: /* 3 */
		Uerror("blocking sel in d_step (nr.14, near line 95)");
S_262_0: /* 2 */
S_263_0: /* 2 */
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_271_0: /* 2 */
S_264_0: /* 2 */
		if (!((0==0)))
			goto S_271_1;
S_265_0: /* 2 */
		now.acc = ( ((((int)now.acc)==0)) ? (((int)now.v)) : (((int)now.acc)) );
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_272_0;
S_271_1: /* 3 */
S_266_0: /* 2 */
		if (!((0==1)))
			goto S_271_2;
S_267_0: /* 2 */
		now.votes_x = (((int)now.votes_x)+(((int)now.v)&1));
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_268_0: /* 2 */
		now.votes_y = (((int)now.votes_y)+((((int)now.v)&2)>>1));
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_272_0;
S_271_2: /* 3 */
S_269_0: /* 2 */
		if (!((0==2)))
			goto S_271_3;
S_270_0: /* 2 */
		now.acc = (((int)now.acc)|((int)now.v));
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_272_0;
S_271_3: /* 3 */
		Uerror("blocking sel in d_step (nr.15, near line 100)");
S_272_0: /* 2 */
S_273_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_275_0; /* ';' */
S_274_3: /* 3 */
		Uerror("blocking sel in d_step (nr.16, near line 90)");
S_276_0: /* 2 */
		goto S_289_0;	/* 'break' */
S_289_0: /* 2 */
S_277_0: /* 2 */
		if (!(((((int)now.author)==4)&&(((int)now.count)>=3))))
			goto S_289_1;
S_284_0: /* 2 */
S_278_0: /* 2 */
		if (!(((0==1)&&(((int)now.votes_x)>=3))))
			goto S_284_1;
S_279_0: /* 2 */
		now.acc = 1;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_285_0;
S_284_1: /* 3 */
S_280_0: /* 2 */
		if (!((((0==1)&&(((int)now.votes_x)<3))&&(((int)now.votes_y)>=3))))
			goto S_284_2;
S_281_0: /* 2 */
		now.acc = 2;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_285_0;
S_284_2: /* 3 */
S_282_0: /* 2 */
		/* else */;
S_283_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_285_0;
S_284_3: /* 3 */
		Uerror("blocking sel in d_step (nr.17, near line 114)");
S_285_0: /* 2 */
S_286_0: /* 2 */
		now.possible = (((int)now.possible)|(1<<((int)now.acc)));
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		goto S_290_0;
S_289_1: /* 3 */
S_287_0: /* 2 */
		/* else */;
S_288_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_290_0;
S_289_2: /* 3 */
		Uerror("blocking sel in d_step (nr.18, near line 112)");
S_290_0: /* 2 */
S_291_0: /* 2 */
		now.parents = (((int)now.parents)+1);
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
		goto S_293_0; /* ';' */
S_292_2: /* 3 */
		Uerror("blocking sel in d_step (nr.19, near line 86)");
S_294_0: /* 2 */
		goto S_295_0;	/* 'break' */
S_295_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_297_0; /* ';' */
S_296_3: /* 3 */
		Uerror("blocking sel in d_step (nr.20, near line 81)");
S_298_0: /* 2 */
		goto S_299_0;	/* 'break' */
S_299_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_300_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_301_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_302_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_303_0: /* 2 */
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_304_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_305_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_306_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_308_0;
S_308_0: /* 2 */
		now.forged = ((int)now.possible);
#ifdef VAR_RANGES
		logval("forged", ((int)now.forged));
#endif
		;
		goto S_310_0;
S_310_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 38: // STATE 311 - commit.pml:133 - [author = 0] (0:335:2 - 1)
		IfNotBlocked
		reached[0][311] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(335, 312, 335) */
		reached[0][312] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(0, 336, 335) */
		reached[0][336] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 39: // STATE 313 - commit.pml:135 - [((author==4))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][313] = 1;
		if (!((((int)now.author)==4)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 40: // STATE 315 - commit.pml:136 - [(((author<4)&&(author==byzantine)))] (335:0:2 - 1)
		IfNotBlocked
		reached[0][315] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)==((int)now.byzantine)))))
			continue;
		/* merge: value[author] = 0(335, 316, 335) */
		reached[0][316] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: author = (author+1)(335, 317, 335) */
		reached[0][317] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 336, 335) */
		reached[0][336] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 41: // STATE 318 - commit.pml:137 - [(((author<4)&&(author!=byzantine)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][318] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)!=((int)now.byzantine)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 42: // STATE 319 - commit.pml:139 - [((possible&(1<<0)))] (335:0:3 - 1)
		IfNotBlocked
		reached[0][319] = 1;
		if (!((((int)now.possible)&(1<<0))))
			continue;
		/* merge: value[author] = 0(335, 320, 335) */
		reached[0][320] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(335, 321, 335) */
		reached[0][321] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(335, 333, 335) */
		reached[0][333] = 1;
		;
		/* merge: author = (author+1)(335, 334, 335) */
		reached[0][334] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 336, 335) */
		reached[0][336] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 43: // STATE 322 - commit.pml:140 - [((possible&(1<<1)))] (335:0:3 - 1)
		IfNotBlocked
		reached[0][322] = 1;
		if (!((((int)now.possible)&(1<<1))))
			continue;
		/* merge: value[author] = 1(335, 323, 335) */
		reached[0][323] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 1;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(335, 324, 335) */
		reached[0][324] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(335, 333, 335) */
		reached[0][333] = 1;
		;
		/* merge: author = (author+1)(335, 334, 335) */
		reached[0][334] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 336, 335) */
		reached[0][336] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 44: // STATE 325 - commit.pml:141 - [((possible&(1<<2)))] (335:0:3 - 1)
		IfNotBlocked
		reached[0][325] = 1;
		if (!((((int)now.possible)&(1<<2))))
			continue;
		/* merge: value[author] = 2(335, 326, 335) */
		reached[0][326] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 2;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(335, 327, 335) */
		reached[0][327] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(335, 333, 335) */
		reached[0][333] = 1;
		;
		/* merge: author = (author+1)(335, 334, 335) */
		reached[0][334] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 336, 335) */
		reached[0][336] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 45: // STATE 328 - commit.pml:142 - [((possible&(1<<3)))] (335:0:3 - 1)
		IfNotBlocked
		reached[0][328] = 1;
		if (!((((int)now.possible)&(1<<3))))
			continue;
		/* merge: value[author] = 3(335, 329, 335) */
		reached[0][329] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 3;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(335, 330, 335) */
		reached[0][330] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(335, 333, 335) */
		reached[0][333] = 1;
		;
		/* merge: author = (author+1)(335, 334, 335) */
		reached[0][334] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 336, 335) */
		reached[0][336] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 46: // STATE 331 - commit.pml:143 - [value[author] = 4] (0:335:2 - 1)
		IfNotBlocked
		reached[0][331] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 4;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: .(goto)(335, 333, 335) */
		reached[0][333] = 1;
		;
		/* merge: author = (author+1)(335, 334, 335) */
		reached[0][334] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 336, 335) */
		reached[0][336] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 47: // STATE 334 - commit.pml:145 - [author = (author+1)] (0:335:1 - 6)
		IfNotBlocked
		reached[0][334] = 1;
		(trpt+1)->bup.oval = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 336, 335) */
		reached[0][336] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 48: // STATE 338 - commit.pml:147 - [((count>=(3-1)))] (357:0:3 - 3)
		IfNotBlocked
		reached[0][338] = 1;
		if (!((((int)now.count)>=(3-1))))
			continue;
		/* merge: possible = 0(357, 339, 357) */
		reached[0][339] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.possible);
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		/* merge: author = 0(357, 340, 357) */
		reached[0][340] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(357, 341, 357) */
		reached[0][341] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		_m = 3; goto P999; /* 3 */
	case 49: // STATE 357 - commit.pml:228 - [D_STEP228]
		IfNotBlocked

		reached[0][357] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		if (TstOnly) return 1;


		reached[0][357] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		sv_save();
		S_353_0: /* 2 */
S_342_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_343_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_350_0: /* 2 */
S_349_0: /* 2 */
S_344_0: /* 2 */
		if (!((((int)now.author)==4)))
			goto S_349_1;
S_345_0: /* 2 */
		goto S_352_0;	/* 'goto' */
S_349_1: /* 3 */
S_346_0: /* 2 */
		if (!((((int)now.author)<4)))
			goto S_349_2;
S_347_0: /* 2 */
		now.count = (((int)now.count)+( ((((int)now.author)==((int)now.byzantine))) ? (((((int)now.forged)&(1<<0))!=0)) : ((((int)now.value[ Index(((int)now.author), 4) ])==0)) ));
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_348_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_350_0; /* ';' */
S_349_2: /* 3 */
		Uerror("blocking sel in d_step (nr.21, near line 154)");
S_351_0: /* 2 */
		goto S_352_0;	/* 'break' */
S_352_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_354_0;
S_354_0: /* 2 */
		now.can_skip = (((int)now.count)>=3);
#ifdef VAR_RANGES
		logval("can_skip", ((int)now.can_skip));
#endif
		;
S_355_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		goto S_463_0;
S_463_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 50: // STATE 432 - commit.pml:132 - [D_STEP132]
		IfNotBlocked

		reached[0][432] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		if (TstOnly) return 1;


		reached[0][432] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		sv_save();
		S_429_0: /* 2 */
S_357_0: /* 2 */
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
S_358_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_419_0: /* 2 */
S_418_0: /* 2 */
S_359_0: /* 2 */
		if (!((((int)now.fake)>3)))
			goto S_418_1;
S_360_0: /* 2 */
		goto S_421_0;	/* 'goto' */
S_418_1: /* 3 */
S_361_0: /* 2 */
		if (!(((((int)now.fake)<=3)&& !((((int)now.forged)&(1<<((int)now.fake)))))))
			goto S_418_2;
S_362_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_419_0; /* ';' */
S_418_2: /* 3 */
S_363_0: /* 2 */
		if (!(((((int)now.fake)<=3)&&(((int)now.forged)&(1<<((int)now.fake))))))
			goto S_418_3;
S_364_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_415_0: /* 2 */
S_414_0: /* 2 */
S_365_0: /* 2 */
		if (!((((int)now.parents)==(1<<4))))
			goto S_414_1;
S_366_0: /* 2 */
		goto S_417_0;	/* 'goto' */
S_414_1: /* 3 */
S_367_0: /* 2 */
		if (!((((int)now.parents)<(1<<4))))
			goto S_414_2;
S_368_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_369_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_370_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_371_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_372_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
S_397_0: /* 2 */
S_396_0: /* 2 */
S_373_0: /* 2 */
		if (!((((int)now.author)==4)))
			goto S_396_1;
S_374_0: /* 2 */
		goto S_411_0;	/* 'goto' */
S_396_1: /* 3 */
S_375_0: /* 2 */
		if (!(((((int)now.author)<4)&& !((((int)now.parents)&(1<<((int)now.author)))))))
			goto S_396_2;
S_376_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_397_0; /* ';' */
S_396_2: /* 3 */
S_377_0: /* 2 */
		if (!(((((int)now.author)<4)&&(((int)now.parents)&(1<<((int)now.author))))))
			goto S_396_3;
S_378_0: /* 2 */
		now.v = ( ((((int)now.author)==((int)now.byzantine))) ? (((int)now.fake)) : (((int)now.value[ Index(((int)now.author), 4) ])) );
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_383_0: /* 2 */
S_379_0: /* 2 */
		if (!((((int)now.v)==4)))
			goto S_383_1;
S_380_0: /* 2 */
		goto S_411_0;	/* 'goto' */
		goto S_384_0;
S_383_1: /* 3 */
S_381_0: /* 2 */
		/* else */;
S_382_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_384_0;
S_383_2: /* 3 */
		Uerror("blocking sel in d_step (nr.22, near line 95)");
S_384_0: /* 2 */
S_385_0: /* 2 */
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_393_0: /* 2 */
S_386_0: /* 2 */
		if (!((1==0)))
			goto S_393_1;
S_387_0: /* 2 */
		now.acc = ( ((((int)now.acc)==0)) ? (((int)now.v)) : (((int)now.acc)) );
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_394_0;
S_393_1: /* 3 */
S_388_0: /* 2 */
		if (!((1==1)))
			goto S_393_2;
S_389_0: /* 2 */
		now.votes_x = (((int)now.votes_x)+(((int)now.v)&1));
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_390_0: /* 2 */
		now.votes_y = (((int)now.votes_y)+((((int)now.v)&2)>>1));
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_394_0;
S_393_2: /* 3 */
S_391_0: /* 2 */
		if (!((1==2)))
			goto S_393_3;
S_392_0: /* 2 */
		now.acc = (((int)now.acc)|((int)now.v));
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_394_0;
S_393_3: /* 3 */
		Uerror("blocking sel in d_step (nr.23, near line 100)");
S_394_0: /* 2 */
S_395_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_397_0; /* ';' */
S_396_3: /* 3 */
		Uerror("blocking sel in d_step (nr.24, near line 90)");
S_398_0: /* 2 */
		goto S_411_0;	/* 'break' */
S_411_0: /* 2 */
S_399_0: /* 2 */
		if (!(((((int)now.author)==4)&&(((int)now.count)>=3))))
			goto S_411_1;
S_406_0: /* 2 */
S_400_0: /* 2 */
		if (!(((1==1)&&(((int)now.votes_x)>=3))))
			goto S_406_1;
S_401_0: /* 2 */
		now.acc = 1;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_407_0;
S_406_1: /* 3 */
S_402_0: /* 2 */
		if (!((((1==1)&&(((int)now.votes_x)<3))&&(((int)now.votes_y)>=3))))
			goto S_406_2;
S_403_0: /* 2 */
		now.acc = 2;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_407_0;
S_406_2: /* 3 */
S_404_0: /* 2 */
		/* else */;
S_405_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_407_0;
S_406_3: /* 3 */
		Uerror("blocking sel in d_step (nr.25, near line 114)");
S_407_0: /* 2 */
S_408_0: /* 2 */
		now.possible = (((int)now.possible)|(1<<((int)now.acc)));
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		goto S_412_0;
S_411_1: /* 3 */
S_409_0: /* 2 */
		/* else */;
S_410_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_412_0;
S_411_2: /* 3 */
		Uerror("blocking sel in d_step (nr.26, near line 112)");
S_412_0: /* 2 */
S_413_0: /* 2 */
		now.parents = (((int)now.parents)+1);
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
		goto S_415_0; /* ';' */
S_414_2: /* 3 */
		Uerror("blocking sel in d_step (nr.27, near line 86)");
S_416_0: /* 2 */
		goto S_417_0;	/* 'break' */
S_417_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_419_0; /* ';' */
S_418_3: /* 3 */
		Uerror("blocking sel in d_step (nr.28, near line 81)");
S_420_0: /* 2 */
		goto S_421_0;	/* 'break' */
S_421_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_422_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_423_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_424_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_425_0: /* 2 */
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_426_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_427_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_428_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_430_0;
S_430_0: /* 2 */
		now.forged = ((int)now.possible);
#ifdef VAR_RANGES
		logval("forged", ((int)now.forged));
#endif
		;
		goto S_432_0;
S_432_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 51: // STATE 433 - commit.pml:133 - [author = 0] (0:457:2 - 1)
		IfNotBlocked
		reached[0][433] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(457, 434, 457) */
		reached[0][434] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(0, 458, 457) */
		reached[0][458] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 52: // STATE 435 - commit.pml:135 - [((author==4))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][435] = 1;
		if (!((((int)now.author)==4)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 53: // STATE 437 - commit.pml:136 - [(((author<4)&&(author==byzantine)))] (457:0:2 - 1)
		IfNotBlocked
		reached[0][437] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)==((int)now.byzantine)))))
			continue;
		/* merge: value[author] = 0(457, 438, 457) */
		reached[0][438] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: author = (author+1)(457, 439, 457) */
		reached[0][439] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 458, 457) */
		reached[0][458] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 54: // STATE 440 - commit.pml:137 - [(((author<4)&&(author!=byzantine)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][440] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)!=((int)now.byzantine)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 55: // STATE 441 - commit.pml:139 - [((possible&(1<<0)))] (457:0:3 - 1)
		IfNotBlocked
		reached[0][441] = 1;
		if (!((((int)now.possible)&(1<<0))))
			continue;
		/* merge: value[author] = 0(457, 442, 457) */
		reached[0][442] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(457, 443, 457) */
		reached[0][443] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(457, 455, 457) */
		reached[0][455] = 1;
		;
		/* merge: author = (author+1)(457, 456, 457) */
		reached[0][456] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 458, 457) */
		reached[0][458] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 56: // STATE 444 - commit.pml:140 - [((possible&(1<<1)))] (457:0:3 - 1)
		IfNotBlocked
		reached[0][444] = 1;
		if (!((((int)now.possible)&(1<<1))))
			continue;
		/* merge: value[author] = 1(457, 445, 457) */
		reached[0][445] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 1;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(457, 446, 457) */
		reached[0][446] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(457, 455, 457) */
		reached[0][455] = 1;
		;
		/* merge: author = (author+1)(457, 456, 457) */
		reached[0][456] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 458, 457) */
		reached[0][458] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 57: // STATE 447 - commit.pml:141 - [((possible&(1<<2)))] (457:0:3 - 1)
		IfNotBlocked
		reached[0][447] = 1;
		if (!((((int)now.possible)&(1<<2))))
			continue;
		/* merge: value[author] = 2(457, 448, 457) */
		reached[0][448] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 2;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(457, 449, 457) */
		reached[0][449] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(457, 455, 457) */
		reached[0][455] = 1;
		;
		/* merge: author = (author+1)(457, 456, 457) */
		reached[0][456] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 458, 457) */
		reached[0][458] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 58: // STATE 450 - commit.pml:142 - [((possible&(1<<3)))] (457:0:3 - 1)
		IfNotBlocked
		reached[0][450] = 1;
		if (!((((int)now.possible)&(1<<3))))
			continue;
		/* merge: value[author] = 3(457, 451, 457) */
		reached[0][451] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 3;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(457, 452, 457) */
		reached[0][452] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(457, 455, 457) */
		reached[0][455] = 1;
		;
		/* merge: author = (author+1)(457, 456, 457) */
		reached[0][456] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 458, 457) */
		reached[0][458] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 59: // STATE 453 - commit.pml:143 - [value[author] = 4] (0:457:2 - 1)
		IfNotBlocked
		reached[0][453] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 4;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: .(goto)(457, 455, 457) */
		reached[0][455] = 1;
		;
		/* merge: author = (author+1)(457, 456, 457) */
		reached[0][456] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 458, 457) */
		reached[0][458] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 60: // STATE 456 - commit.pml:145 - [author = (author+1)] (0:457:1 - 6)
		IfNotBlocked
		reached[0][456] = 1;
		(trpt+1)->bup.oval = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 458, 457) */
		reached[0][458] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 61: // STATE 460 - commit.pml:147 - [((count>=(3-1)))] (492:0:3 - 3)
		IfNotBlocked
		reached[0][460] = 1;
		if (!((((int)now.count)>=(3-1))))
			continue;
		/* merge: possible = 0(492, 461, 492) */
		reached[0][461] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.possible);
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		/* merge: author = 0(492, 462, 492) */
		reached[0][462] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(492, 463, 492) */
		reached[0][463] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		_m = 3; goto P999; /* 3 */
	case 62: // STATE 492 - commit.pml:230 - [D_STEP230]
		IfNotBlocked

		reached[0][492] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		if (TstOnly) return 1;


		reached[0][492] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		sv_save();
		S_475_0: /* 2 */
S_464_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_465_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_472_0: /* 2 */
S_471_0: /* 2 */
S_466_0: /* 2 */
		if (!((((int)now.author)==4)))
			goto S_471_1;
S_467_0: /* 2 */
		goto S_474_0;	/* 'goto' */
S_471_1: /* 3 */
S_468_0: /* 2 */
		if (!((((int)now.author)<4)))
			goto S_471_2;
S_469_0: /* 2 */
		now.count = (((int)now.count)+( ((((int)now.author)==((int)now.byzantine))) ? (((((int)now.forged)&(1<<1))!=0)) : ((((int)now.value[ Index(((int)now.author), 4) ])==1)) ));
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_470_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_472_0; /* ';' */
S_471_2: /* 3 */
		Uerror("blocking sel in d_step (nr.29, near line 154)");
S_473_0: /* 2 */
		goto S_474_0;	/* 'break' */
S_474_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_476_0;
S_476_0: /* 2 */
		now.can_commit_x = (((int)now.count)>=3);
#ifdef VAR_RANGES
		logval("can_commit_x", ((int)now.can_commit_x));
#endif
		;
S_488_0: /* 2 */
S_477_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_478_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_485_0: /* 2 */
S_484_0: /* 2 */
S_479_0: /* 2 */
		if (!((((int)now.author)==4)))
			goto S_484_1;
S_480_0: /* 2 */
		goto S_487_0;	/* 'goto' */
S_484_1: /* 3 */
S_481_0: /* 2 */
		if (!((((int)now.author)<4)))
			goto S_484_2;
S_482_0: /* 2 */
		now.count = (((int)now.count)+( ((((int)now.author)==((int)now.byzantine))) ? (((((int)now.forged)&(1<<2))!=0)) : ((((int)now.value[ Index(((int)now.author), 4) ])==2)) ));
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_483_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_485_0; /* ';' */
S_484_2: /* 3 */
		Uerror("blocking sel in d_step (nr.30, near line 154)");
S_486_0: /* 2 */
		goto S_487_0;	/* 'break' */
S_487_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_489_0;
S_489_0: /* 2 */
		now.can_commit_y = (((int)now.count)>=3);
#ifdef VAR_RANGES
		logval("can_commit_y", ((int)now.can_commit_y));
#endif
		;
S_490_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		goto S_598_0;
S_598_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 63: // STATE 567 - commit.pml:132 - [D_STEP132]
		IfNotBlocked

		reached[0][567] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		if (TstOnly) return 1;


		reached[0][567] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		sv_save();
		S_564_0: /* 2 */
S_492_0: /* 2 */
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
S_493_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_554_0: /* 2 */
S_553_0: /* 2 */
S_494_0: /* 2 */
		if (!((((int)now.fake)>3)))
			goto S_553_1;
S_495_0: /* 2 */
		goto S_556_0;	/* 'goto' */
S_553_1: /* 3 */
S_496_0: /* 2 */
		if (!(((((int)now.fake)<=3)&& !((((int)now.forged)&(1<<((int)now.fake)))))))
			goto S_553_2;
S_497_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_554_0; /* ';' */
S_553_2: /* 3 */
S_498_0: /* 2 */
		if (!(((((int)now.fake)<=3)&&(((int)now.forged)&(1<<((int)now.fake))))))
			goto S_553_3;
S_499_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_550_0: /* 2 */
S_549_0: /* 2 */
S_500_0: /* 2 */
		if (!((((int)now.parents)==(1<<4))))
			goto S_549_1;
S_501_0: /* 2 */
		goto S_552_0;	/* 'goto' */
S_549_1: /* 3 */
S_502_0: /* 2 */
		if (!((((int)now.parents)<(1<<4))))
			goto S_549_2;
S_503_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_504_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_505_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_506_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_507_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
S_532_0: /* 2 */
S_531_0: /* 2 */
S_508_0: /* 2 */
		if (!((((int)now.author)==4)))
			goto S_531_1;
S_509_0: /* 2 */
		goto S_546_0;	/* 'goto' */
S_531_1: /* 3 */
S_510_0: /* 2 */
		if (!(((((int)now.author)<4)&& !((((int)now.parents)&(1<<((int)now.author)))))))
			goto S_531_2;
S_511_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_532_0; /* ';' */
S_531_2: /* 3 */
S_512_0: /* 2 */
		if (!(((((int)now.author)<4)&&(((int)now.parents)&(1<<((int)now.author))))))
			goto S_531_3;
S_513_0: /* 2 */
		now.v = ( ((((int)now.author)==((int)now.byzantine))) ? (((int)now.fake)) : (((int)now.value[ Index(((int)now.author), 4) ])) );
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_518_0: /* 2 */
S_514_0: /* 2 */
		if (!((((int)now.v)==4)))
			goto S_518_1;
S_515_0: /* 2 */
		goto S_546_0;	/* 'goto' */
		goto S_519_0;
S_518_1: /* 3 */
S_516_0: /* 2 */
		/* else */;
S_517_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_519_0;
S_518_2: /* 3 */
		Uerror("blocking sel in d_step (nr.31, near line 95)");
S_519_0: /* 2 */
S_520_0: /* 2 */
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_528_0: /* 2 */
S_521_0: /* 2 */
		if (!((2==0)))
			goto S_528_1;
S_522_0: /* 2 */
		now.acc = ( ((((int)now.acc)==0)) ? (((int)now.v)) : (((int)now.acc)) );
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_529_0;
S_528_1: /* 3 */
S_523_0: /* 2 */
		if (!((2==1)))
			goto S_528_2;
S_524_0: /* 2 */
		now.votes_x = (((int)now.votes_x)+(((int)now.v)&1));
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_525_0: /* 2 */
		now.votes_y = (((int)now.votes_y)+((((int)now.v)&2)>>1));
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_529_0;
S_528_2: /* 3 */
S_526_0: /* 2 */
		if (!((2==2)))
			goto S_528_3;
S_527_0: /* 2 */
		now.acc = (((int)now.acc)|((int)now.v));
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_529_0;
S_528_3: /* 3 */
		Uerror("blocking sel in d_step (nr.32, near line 100)");
S_529_0: /* 2 */
S_530_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_532_0; /* ';' */
S_531_3: /* 3 */
		Uerror("blocking sel in d_step (nr.33, near line 90)");
S_533_0: /* 2 */
		goto S_546_0;	/* 'break' */
S_546_0: /* 2 */
S_534_0: /* 2 */
		if (!(((((int)now.author)==4)&&(((int)now.count)>=3))))
			goto S_546_1;
S_541_0: /* 2 */
S_535_0: /* 2 */
		if (!(((2==1)&&(((int)now.votes_x)>=3))))
			goto S_541_1;
S_536_0: /* 2 */
		now.acc = 1;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_542_0;
S_541_1: /* 3 */
S_537_0: /* 2 */
		if (!((((2==1)&&(((int)now.votes_x)<3))&&(((int)now.votes_y)>=3))))
			goto S_541_2;
S_538_0: /* 2 */
		now.acc = 2;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_542_0;
S_541_2: /* 3 */
S_539_0: /* 2 */
		/* else */;
S_540_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_542_0;
S_541_3: /* 3 */
		Uerror("blocking sel in d_step (nr.34, near line 114)");
S_542_0: /* 2 */
S_543_0: /* 2 */
		now.possible = (((int)now.possible)|(1<<((int)now.acc)));
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		goto S_547_0;
S_546_1: /* 3 */
S_544_0: /* 2 */
		/* else */;
S_545_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_547_0;
S_546_2: /* 3 */
		Uerror("blocking sel in d_step (nr.35, near line 112)");
S_547_0: /* 2 */
S_548_0: /* 2 */
		now.parents = (((int)now.parents)+1);
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
		goto S_550_0; /* ';' */
S_549_2: /* 3 */
		Uerror("blocking sel in d_step (nr.36, near line 86)");
S_551_0: /* 2 */
		goto S_552_0;	/* 'break' */
S_552_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_554_0; /* ';' */
S_553_3: /* 3 */
		Uerror("blocking sel in d_step (nr.37, near line 81)");
S_555_0: /* 2 */
		goto S_556_0;	/* 'break' */
S_556_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_557_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_558_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_559_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_560_0: /* 2 */
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_561_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_562_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_563_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_565_0;
S_565_0: /* 2 */
		now.forged = ((int)now.possible);
#ifdef VAR_RANGES
		logval("forged", ((int)now.forged));
#endif
		;
		goto S_567_0;
S_567_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 64: // STATE 568 - commit.pml:133 - [author = 0] (0:592:2 - 1)
		IfNotBlocked
		reached[0][568] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(592, 569, 592) */
		reached[0][569] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(0, 593, 592) */
		reached[0][593] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 65: // STATE 570 - commit.pml:135 - [((author==4))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][570] = 1;
		if (!((((int)now.author)==4)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 66: // STATE 572 - commit.pml:136 - [(((author<4)&&(author==byzantine)))] (592:0:2 - 1)
		IfNotBlocked
		reached[0][572] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)==((int)now.byzantine)))))
			continue;
		/* merge: value[author] = 0(592, 573, 592) */
		reached[0][573] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: author = (author+1)(592, 574, 592) */
		reached[0][574] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 593, 592) */
		reached[0][593] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 67: // STATE 575 - commit.pml:137 - [(((author<4)&&(author!=byzantine)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][575] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)!=((int)now.byzantine)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 68: // STATE 576 - commit.pml:139 - [((possible&(1<<0)))] (592:0:3 - 1)
		IfNotBlocked
		reached[0][576] = 1;
		if (!((((int)now.possible)&(1<<0))))
			continue;
		/* merge: value[author] = 0(592, 577, 592) */
		reached[0][577] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(592, 578, 592) */
		reached[0][578] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(592, 590, 592) */
		reached[0][590] = 1;
		;
		/* merge: author = (author+1)(592, 591, 592) */
		reached[0][591] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 593, 592) */
		reached[0][593] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 69: // STATE 579 - commit.pml:140 - [((possible&(1<<1)))] (592:0:3 - 1)
		IfNotBlocked
		reached[0][579] = 1;
		if (!((((int)now.possible)&(1<<1))))
			continue;
		/* merge: value[author] = 1(592, 580, 592) */
		reached[0][580] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 1;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(592, 581, 592) */
		reached[0][581] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(592, 590, 592) */
		reached[0][590] = 1;
		;
		/* merge: author = (author+1)(592, 591, 592) */
		reached[0][591] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 593, 592) */
		reached[0][593] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 70: // STATE 582 - commit.pml:141 - [((possible&(1<<2)))] (592:0:3 - 1)
		IfNotBlocked
		reached[0][582] = 1;
		if (!((((int)now.possible)&(1<<2))))
			continue;
		/* merge: value[author] = 2(592, 583, 592) */
		reached[0][583] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 2;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(592, 584, 592) */
		reached[0][584] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(592, 590, 592) */
		reached[0][590] = 1;
		;
		/* merge: author = (author+1)(592, 591, 592) */
		reached[0][591] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 593, 592) */
		reached[0][593] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 71: // STATE 585 - commit.pml:142 - [((possible&(1<<3)))] (592:0:3 - 1)
		IfNotBlocked
		reached[0][585] = 1;
		if (!((((int)now.possible)&(1<<3))))
			continue;
		/* merge: value[author] = 3(592, 586, 592) */
		reached[0][586] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 3;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(592, 587, 592) */
		reached[0][587] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(592, 590, 592) */
		reached[0][590] = 1;
		;
		/* merge: author = (author+1)(592, 591, 592) */
		reached[0][591] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 593, 592) */
		reached[0][593] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 72: // STATE 588 - commit.pml:143 - [value[author] = 4] (0:592:2 - 1)
		IfNotBlocked
		reached[0][588] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 4;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: .(goto)(592, 590, 592) */
		reached[0][590] = 1;
		;
		/* merge: author = (author+1)(592, 591, 592) */
		reached[0][591] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 593, 592) */
		reached[0][593] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 73: // STATE 591 - commit.pml:145 - [author = (author+1)] (0:592:1 - 6)
		IfNotBlocked
		reached[0][591] = 1;
		(trpt+1)->bup.oval = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 593, 592) */
		reached[0][593] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 74: // STATE 595 - commit.pml:147 - [((count>=(3-1)))] (708:0:3 - 3)
		IfNotBlocked
		reached[0][595] = 1;
		if (!((((int)now.count)>=(3-1))))
			continue;
		/* merge: possible = 0(708, 596, 708) */
		reached[0][596] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.possible);
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		/* merge: author = 0(708, 597, 708) */
		reached[0][597] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(708, 598, 708) */
		reached[0][598] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		_m = 3; goto P999; /* 3 */
	case 75: // STATE 600 - commit.pml:238 - [(1)] (769:0:0 - 1)
		IfNotBlocked
		reached[0][600] = 1;
		if (!(1))
			continue;
		/* merge: .(goto)(769, 709, 769) */
		reached[0][709] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 76: // STATE 709 - commit.pml:242 - [.(goto)] (0:769:0 - 2)
		IfNotBlocked
		reached[0][709] = 1;
		;
		_m = 3; goto P999; /* 0 */
	case 77: // STATE 675 - commit.pml:132 - [D_STEP132]
		IfNotBlocked

		reached[0][675] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		if (TstOnly) return 1;


		reached[0][675] = 1;
		reached[0][t->st] = 1;
		reached[0][tt] = 1;

		sv_save();
		S_672_0: /* 2 */
S_600_0: /* 2 */
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
S_601_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_662_0: /* 2 */
S_661_0: /* 2 */
S_602_0: /* 2 */
		if (!((((int)now.fake)>3)))
			goto S_661_1;
S_603_0: /* 2 */
		goto S_664_0;	/* 'goto' */
S_661_1: /* 3 */
S_604_0: /* 2 */
		if (!(((((int)now.fake)<=3)&& !((((int)now.forged)&(1<<((int)now.fake)))))))
			goto S_661_2;
S_605_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_662_0; /* ';' */
S_661_2: /* 3 */
S_606_0: /* 2 */
		if (!(((((int)now.fake)<=3)&&(((int)now.forged)&(1<<((int)now.fake))))))
			goto S_661_3;
S_607_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_658_0: /* 2 */
S_657_0: /* 2 */
S_608_0: /* 2 */
		if (!((((int)now.parents)==(1<<4))))
			goto S_657_1;
S_609_0: /* 2 */
		goto S_660_0;	/* 'goto' */
S_657_1: /* 3 */
S_610_0: /* 2 */
		if (!((((int)now.parents)<(1<<4))))
			goto S_657_2;
S_611_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_612_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_613_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_614_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_615_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
S_640_0: /* 2 */
S_639_0: /* 2 */
S_616_0: /* 2 */
		if (!((((int)now.author)==4)))
			goto S_639_1;
S_617_0: /* 2 */
		goto S_654_0;	/* 'goto' */
S_639_1: /* 3 */
S_618_0: /* 2 */
		if (!(((((int)now.author)<4)&& !((((int)now.parents)&(1<<((int)now.author)))))))
			goto S_639_2;
S_619_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_640_0; /* ';' */
S_639_2: /* 3 */
S_620_0: /* 2 */
		if (!(((((int)now.author)<4)&&(((int)now.parents)&(1<<((int)now.author))))))
			goto S_639_3;
S_621_0: /* 2 */
		now.v = ( ((((int)now.author)==((int)now.byzantine))) ? (((int)now.fake)) : (((int)now.value[ Index(((int)now.author), 4) ])) );
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_626_0: /* 2 */
S_622_0: /* 2 */
		if (!((((int)now.v)==4)))
			goto S_626_1;
S_623_0: /* 2 */
		goto S_654_0;	/* 'goto' */
		goto S_627_0;
S_626_1: /* 3 */
S_624_0: /* 2 */
		/* else */;
S_625_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_627_0;
S_626_2: /* 3 */
		Uerror("blocking sel in d_step (nr.38, near line 95)");
S_627_0: /* 2 */
S_628_0: /* 2 */
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_636_0: /* 2 */
S_629_0: /* 2 */
		if (!((2==0)))
			goto S_636_1;
S_630_0: /* 2 */
		now.acc = ( ((((int)now.acc)==0)) ? (((int)now.v)) : (((int)now.acc)) );
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_637_0;
S_636_1: /* 3 */
S_631_0: /* 2 */
		if (!((2==1)))
			goto S_636_2;
S_632_0: /* 2 */
		now.votes_x = (((int)now.votes_x)+(((int)now.v)&1));
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_633_0: /* 2 */
		now.votes_y = (((int)now.votes_y)+((((int)now.v)&2)>>1));
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_637_0;
S_636_2: /* 3 */
S_634_0: /* 2 */
		if (!((2==2)))
			goto S_636_3;
S_635_0: /* 2 */
		now.acc = (((int)now.acc)|((int)now.v));
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_637_0;
S_636_3: /* 3 */
		Uerror("blocking sel in d_step (nr.39, near line 100)");
S_637_0: /* 2 */
S_638_0: /* 2 */
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		goto S_640_0; /* ';' */
S_639_3: /* 3 */
		Uerror("blocking sel in d_step (nr.40, near line 90)");
S_641_0: /* 2 */
		goto S_654_0;	/* 'break' */
S_654_0: /* 2 */
S_642_0: /* 2 */
		if (!(((((int)now.author)==4)&&(((int)now.count)>=3))))
			goto S_654_1;
S_649_0: /* 2 */
S_643_0: /* 2 */
		if (!(((2==1)&&(((int)now.votes_x)>=3))))
			goto S_649_1;
S_644_0: /* 2 */
		now.acc = 1;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_650_0;
S_649_1: /* 3 */
S_645_0: /* 2 */
		if (!((((2==1)&&(((int)now.votes_x)<3))&&(((int)now.votes_y)>=3))))
			goto S_649_2;
S_646_0: /* 2 */
		now.acc = 2;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
		goto S_650_0;
S_649_2: /* 3 */
S_647_0: /* 2 */
		/* else */;
S_648_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_650_0;
S_649_3: /* 3 */
		Uerror("blocking sel in d_step (nr.41, near line 114)");
S_650_0: /* 2 */
S_651_0: /* 2 */
		now.possible = (((int)now.possible)|(1<<((int)now.acc)));
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		goto S_655_0;
S_654_1: /* 3 */
S_652_0: /* 2 */
		/* else */;
S_653_0: /* 2 */
		if (!(1))
			Uerror("block in d_step seq");
		goto S_655_0;
S_654_2: /* 3 */
		Uerror("blocking sel in d_step (nr.42, near line 112)");
S_655_0: /* 2 */
S_656_0: /* 2 */
		now.parents = (((int)now.parents)+1);
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
		goto S_658_0; /* ';' */
S_657_2: /* 3 */
		Uerror("blocking sel in d_step (nr.43, near line 86)");
S_659_0: /* 2 */
		goto S_660_0;	/* 'break' */
S_660_0: /* 2 */
		now.fake = (((int)now.fake)+1);
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
		goto S_662_0; /* ';' */
S_661_3: /* 3 */
		Uerror("blocking sel in d_step (nr.44, near line 81)");
S_663_0: /* 2 */
		goto S_664_0;	/* 'break' */
S_664_0: /* 2 */
		now.parents = 0;
#ifdef VAR_RANGES
		logval("parents", ((int)now.parents));
#endif
		;
S_665_0: /* 2 */
		now.fake = 0;
#ifdef VAR_RANGES
		logval("fake", ((int)now.fake));
#endif
		;
S_666_0: /* 2 */
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
S_667_0: /* 2 */
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
S_668_0: /* 2 */
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
S_669_0: /* 2 */
		now.acc = 0;
#ifdef VAR_RANGES
		logval("acc", ((int)now.acc));
#endif
		;
S_670_0: /* 2 */
		now.votes_x = 0;
#ifdef VAR_RANGES
		logval("votes_x", ((int)now.votes_x));
#endif
		;
S_671_0: /* 2 */
		now.votes_y = 0;
#ifdef VAR_RANGES
		logval("votes_y", ((int)now.votes_y));
#endif
		;
		goto S_673_0;
S_673_0: /* 2 */
		now.forged = ((int)now.possible);
#ifdef VAR_RANGES
		logval("forged", ((int)now.forged));
#endif
		;
		goto S_675_0;
S_675_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 78: // STATE 676 - commit.pml:133 - [author = 0] (0:700:2 - 1)
		IfNotBlocked
		reached[0][676] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(700, 677, 700) */
		reached[0][677] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(0, 701, 700) */
		reached[0][701] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 79: // STATE 678 - commit.pml:135 - [((author==4))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][678] = 1;
		if (!((((int)now.author)==4)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 80: // STATE 680 - commit.pml:136 - [(((author<4)&&(author==byzantine)))] (700:0:2 - 1)
		IfNotBlocked
		reached[0][680] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)==((int)now.byzantine)))))
			continue;
		/* merge: value[author] = 0(700, 681, 700) */
		reached[0][681] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: author = (author+1)(700, 682, 700) */
		reached[0][682] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 701, 700) */
		reached[0][701] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 81: // STATE 683 - commit.pml:137 - [(((author<4)&&(author!=byzantine)))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][683] = 1;
		if (!(((((int)now.author)<4)&&(((int)now.author)!=((int)now.byzantine)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 82: // STATE 684 - commit.pml:139 - [((possible&(1<<0)))] (700:0:3 - 1)
		IfNotBlocked
		reached[0][684] = 1;
		if (!((((int)now.possible)&(1<<0))))
			continue;
		/* merge: value[author] = 0(700, 685, 700) */
		reached[0][685] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 0;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(700, 686, 700) */
		reached[0][686] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(700, 698, 700) */
		reached[0][698] = 1;
		;
		/* merge: author = (author+1)(700, 699, 700) */
		reached[0][699] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 701, 700) */
		reached[0][701] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 83: // STATE 687 - commit.pml:140 - [((possible&(1<<1)))] (700:0:3 - 1)
		IfNotBlocked
		reached[0][687] = 1;
		if (!((((int)now.possible)&(1<<1))))
			continue;
		/* merge: value[author] = 1(700, 688, 700) */
		reached[0][688] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 1;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(700, 689, 700) */
		reached[0][689] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(700, 698, 700) */
		reached[0][698] = 1;
		;
		/* merge: author = (author+1)(700, 699, 700) */
		reached[0][699] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 701, 700) */
		reached[0][701] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 84: // STATE 690 - commit.pml:141 - [((possible&(1<<2)))] (700:0:3 - 1)
		IfNotBlocked
		reached[0][690] = 1;
		if (!((((int)now.possible)&(1<<2))))
			continue;
		/* merge: value[author] = 2(700, 691, 700) */
		reached[0][691] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 2;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(700, 692, 700) */
		reached[0][692] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(700, 698, 700) */
		reached[0][698] = 1;
		;
		/* merge: author = (author+1)(700, 699, 700) */
		reached[0][699] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 701, 700) */
		reached[0][701] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 85: // STATE 693 - commit.pml:142 - [((possible&(1<<3)))] (700:0:3 - 1)
		IfNotBlocked
		reached[0][693] = 1;
		if (!((((int)now.possible)&(1<<3))))
			continue;
		/* merge: value[author] = 3(700, 694, 700) */
		reached[0][694] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 3;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: count = (count+1)(700, 695, 700) */
		reached[0][695] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.count);
		now.count = (((int)now.count)+1);
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(700, 698, 700) */
		reached[0][698] = 1;
		;
		/* merge: author = (author+1)(700, 699, 700) */
		reached[0][699] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 701, 700) */
		reached[0][701] = 1;
		;
		_m = 3; goto P999; /* 5 */
	case 86: // STATE 696 - commit.pml:143 - [value[author] = 4] (0:700:2 - 1)
		IfNotBlocked
		reached[0][696] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.value[ Index(((int)now.author), 4) ]);
		now.value[ Index(now.author, 4) ] = 4;
#ifdef VAR_RANGES
		logval("value[author]", ((int)now.value[ Index(((int)now.author), 4) ]));
#endif
		;
		/* merge: .(goto)(700, 698, 700) */
		reached[0][698] = 1;
		;
		/* merge: author = (author+1)(700, 699, 700) */
		reached[0][699] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 701, 700) */
		reached[0][701] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 87: // STATE 699 - commit.pml:145 - [author = (author+1)] (0:700:1 - 6)
		IfNotBlocked
		reached[0][699] = 1;
		(trpt+1)->bup.oval = ((int)now.author);
		now.author = (((int)now.author)+1);
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: .(goto)(0, 701, 700) */
		reached[0][701] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 88: // STATE 703 - commit.pml:147 - [((count>=(3-1)))] (769:0:3 - 3)
		IfNotBlocked
		reached[0][703] = 1;
		if (!((((int)now.count)>=(3-1))))
			continue;
		/* merge: possible = 0(769, 704, 769) */
		reached[0][704] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.possible);
		now.possible = 0;
#ifdef VAR_RANGES
		logval("possible", ((int)now.possible));
#endif
		;
		/* merge: author = 0(769, 705, 769) */
		reached[0][705] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: count = 0(769, 706, 769) */
		reached[0][706] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.count);
		now.count = 0;
#ifdef VAR_RANGES
		logval("count", ((int)now.count));
#endif
		;
		/* merge: .(goto)(769, 709, 769) */
		reached[0][709] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 89: // STATE 711 - commit.pml:166 - [author = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[0][711] = 1;
		(trpt+1)->bup.oval = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 90: // STATE 712 - commit.pml:167 - [author = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[0][712] = 1;
		(trpt+1)->bup.oval = ((int)now.author);
		now.author = 1;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 91: // STATE 713 - commit.pml:168 - [author = 2] (0:0:1 - 1)
		IfNotBlocked
		reached[0][713] = 1;
		(trpt+1)->bup.oval = ((int)now.author);
		now.author = 2;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 92: // STATE 714 - commit.pml:169 - [author = 3] (0:0:1 - 1)
		IfNotBlocked
		reached[0][714] = 1;
		(trpt+1)->bup.oval = ((int)now.author);
		now.author = 3;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 93: // STATE 717 - commit.pml:172 - [(((author==byzantine)&&(forged&(1<<0))))] (735:0:1 - 1)
		IfNotBlocked
		reached[0][717] = 1;
		if (!(((((int)now.author)==((int)now.byzantine))&&(((int)now.forged)&(1<<0)))))
			continue;
		/* merge: v = 0(0, 718, 735) */
		reached[0][718] = 1;
		(trpt+1)->bup.oval = ((int)now.v);
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
		/* merge: .(goto)(0, 728, 735) */
		reached[0][728] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 94: // STATE 719 - commit.pml:173 - [(((author==byzantine)&&(forged&(1<<1))))] (735:0:1 - 1)
		IfNotBlocked
		reached[0][719] = 1;
		if (!(((((int)now.author)==((int)now.byzantine))&&(((int)now.forged)&(1<<1)))))
			continue;
		/* merge: v = 1(0, 720, 735) */
		reached[0][720] = 1;
		(trpt+1)->bup.oval = ((int)now.v);
		now.v = 1;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
		/* merge: .(goto)(0, 728, 735) */
		reached[0][728] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 95: // STATE 721 - commit.pml:174 - [(((author==byzantine)&&(forged&(1<<2))))] (735:0:1 - 1)
		IfNotBlocked
		reached[0][721] = 1;
		if (!(((((int)now.author)==((int)now.byzantine))&&(((int)now.forged)&(1<<2)))))
			continue;
		/* merge: v = 2(0, 722, 735) */
		reached[0][722] = 1;
		(trpt+1)->bup.oval = ((int)now.v);
		now.v = 2;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
		/* merge: .(goto)(0, 728, 735) */
		reached[0][728] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 96: // STATE 723 - commit.pml:175 - [(((author==byzantine)&&(forged&(1<<3))))] (735:0:1 - 1)
		IfNotBlocked
		reached[0][723] = 1;
		if (!(((((int)now.author)==((int)now.byzantine))&&(((int)now.forged)&(1<<3)))))
			continue;
		/* merge: v = 3(0, 724, 735) */
		reached[0][724] = 1;
		(trpt+1)->bup.oval = ((int)now.v);
		now.v = 3;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
		/* merge: .(goto)(0, 728, 735) */
		reached[0][728] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 97: // STATE 725 - commit.pml:176 - [(((author!=byzantine)&&(value[author]!=4)))] (735:0:1 - 1)
		IfNotBlocked
		reached[0][725] = 1;
		if (!(((((int)now.author)!=((int)now.byzantine))&&(((int)now.value[ Index(((int)now.author), 4) ])!=4))))
			continue;
		/* merge: v = value[author](0, 726, 735) */
		reached[0][726] = 1;
		(trpt+1)->bup.oval = ((int)now.v);
		now.v = ((int)now.value[ Index(((int)now.author), 4) ]);
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
		/* merge: .(goto)(0, 728, 735) */
		reached[0][728] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 98: // STATE 729 - commit.pml:179 - [((v==0))] (752:0:4 - 1)
		IfNotBlocked
		reached[0][729] = 1;
		if (!((((int)now.v)==0)))
			continue;
		/* merge: decision[0] = 3(752, 730, 752) */
		reached[0][730] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.decision[0]);
		now.decision[0] = 3;
#ifdef VAR_RANGES
		logval("decision[0]", ((int)now.decision[0]));
#endif
		;
		/* merge: .(goto)(752, 736, 752) */
		reached[0][736] = 1;
		;
		/* merge: author = 0(752, 737, 752) */
		reached[0][737] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: v = 0(752, 738, 752) */
		reached[0][738] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.v);
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
		/* merge: decision[1] = decision[0](752, 740, 752) */
		reached[0][740] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.decision[1]);
		now.decision[1] = ((int)now.decision[0]);
#ifdef VAR_RANGES
		logval("decision[1]", ((int)now.decision[1]));
#endif
		;
		_m = 3; goto P999; /* 5 */
	case 99: // STATE 731 - commit.pml:180 - [(((v==1)||(v==3)))] (752:0:4 - 1)
		IfNotBlocked
		reached[0][731] = 1;
		if (!(((((int)now.v)==1)||(((int)now.v)==3))))
			continue;
		/* merge: decision[0] = 1(752, 732, 752) */
		reached[0][732] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.decision[0]);
		now.decision[0] = 1;
#ifdef VAR_RANGES
		logval("decision[0]", ((int)now.decision[0]));
#endif
		;
		/* merge: .(goto)(752, 736, 752) */
		reached[0][736] = 1;
		;
		/* merge: author = 0(752, 737, 752) */
		reached[0][737] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: v = 0(752, 738, 752) */
		reached[0][738] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.v);
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
		/* merge: decision[1] = decision[0](752, 740, 752) */
		reached[0][740] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.decision[1]);
		now.decision[1] = ((int)now.decision[0]);
#ifdef VAR_RANGES
		logval("decision[1]", ((int)now.decision[1]));
#endif
		;
		_m = 3; goto P999; /* 5 */
	case 100: // STATE 733 - commit.pml:181 - [(((v==2)||(v==3)))] (752:0:4 - 1)
		IfNotBlocked
		reached[0][733] = 1;
		if (!(((((int)now.v)==2)||(((int)now.v)==3))))
			continue;
		/* merge: decision[0] = 2(752, 734, 752) */
		reached[0][734] = 1;
		(trpt+1)->bup.ovals = grab_ints(4);
		(trpt+1)->bup.ovals[0] = ((int)now.decision[0]);
		now.decision[0] = 2;
#ifdef VAR_RANGES
		logval("decision[0]", ((int)now.decision[0]));
#endif
		;
		/* merge: .(goto)(752, 736, 752) */
		reached[0][736] = 1;
		;
		/* merge: author = 0(752, 737, 752) */
		reached[0][737] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: v = 0(752, 738, 752) */
		reached[0][738] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.v);
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
		/* merge: decision[1] = decision[0](752, 740, 752) */
		reached[0][740] = 1;
		(trpt+1)->bup.ovals[3] = ((int)now.decision[1]);
		now.decision[1] = ((int)now.decision[0]);
#ifdef VAR_RANGES
		logval("decision[1]", ((int)now.decision[1]));
#endif
		;
		_m = 3; goto P999; /* 5 */
	case 101: // STATE 737 - commit.pml:183 - [author = 0] (0:752:3 - 4)
		IfNotBlocked
		reached[0][737] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.author);
		now.author = 0;
#ifdef VAR_RANGES
		logval("author", ((int)now.author));
#endif
		;
		/* merge: v = 0(752, 738, 752) */
		reached[0][738] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.v);
		now.v = 0;
#ifdef VAR_RANGES
		logval("v", ((int)now.v));
#endif
		;
		/* merge: decision[1] = decision[0](752, 740, 752) */
		reached[0][740] = 1;
		(trpt+1)->bup.ovals[2] = ((int)now.decision[1]);
		now.decision[1] = ((int)now.decision[0]);
#ifdef VAR_RANGES
		logval("decision[1]", ((int)now.decision[1]));
#endif
		;
		_m = 3; goto P999; /* 2 */
	case 102: // STATE 742 - commit.pml:189 - [(can_commit_x)] (765:0:1 - 1)
		IfNotBlocked
		reached[0][742] = 1;
		if (!(((int)now.can_commit_x)))
			continue;
		/* merge: decision[0] = 1(0, 743, 765) */
		reached[0][743] = 1;
		(trpt+1)->bup.oval = ((int)now.decision[0]);
		now.decision[0] = 1;
#ifdef VAR_RANGES
		logval("decision[0]", ((int)now.decision[0]));
#endif
		;
		/* merge: .(goto)(0, 750, 765) */
		reached[0][750] = 1;
		;
		/* merge: .(goto)(0, 753, 765) */
		reached[0][753] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 103: // STATE 744 - commit.pml:190 - [(can_commit_y)] (765:0:1 - 1)
		IfNotBlocked
		reached[0][744] = 1;
		if (!(((int)now.can_commit_y)))
			continue;
		/* merge: decision[0] = 2(0, 745, 765) */
		reached[0][745] = 1;
		(trpt+1)->bup.oval = ((int)now.decision[0]);
		now.decision[0] = 2;
#ifdef VAR_RANGES
		logval("decision[0]", ((int)now.decision[0]));
#endif
		;
		/* merge: .(goto)(0, 750, 765) */
		reached[0][750] = 1;
		;
		/* merge: .(goto)(0, 753, 765) */
		reached[0][753] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 104: // STATE 746 - commit.pml:191 - [(can_skip)] (765:0:1 - 1)
		IfNotBlocked
		reached[0][746] = 1;
		if (!(((int)now.can_skip)))
			continue;
		/* merge: decision[0] = 3(0, 747, 765) */
		reached[0][747] = 1;
		(trpt+1)->bup.oval = ((int)now.decision[0]);
		now.decision[0] = 3;
#ifdef VAR_RANGES
		logval("decision[0]", ((int)now.decision[0]));
#endif
		;
		/* merge: .(goto)(0, 750, 765) */
		reached[0][750] = 1;
		;
		/* merge: .(goto)(0, 753, 765) */
		reached[0][753] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 105: // STATE 748 - commit.pml:192 - [decision[0] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[0][748] = 1;
		(trpt+1)->bup.oval = ((int)now.decision[0]);
		now.decision[0] = 0;
#ifdef VAR_RANGES
		logval("decision[0]", ((int)now.decision[0]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 106: // STATE 755 - commit.pml:189 - [(can_commit_x)] (768:0:1 - 1)
		IfNotBlocked
		reached[0][755] = 1;
		if (!(((int)now.can_commit_x)))
			continue;
		/* merge: decision[1] = 1(0, 756, 768) */
		reached[0][756] = 1;
		(trpt+1)->bup.oval = ((int)now.decision[1]);
		now.decision[1] = 1;
#ifdef VAR_RANGES
		logval("decision[1]", ((int)now.decision[1]));
#endif
		;
		/* merge: .(goto)(0, 763, 768) */
		reached[0][763] = 1;
		;
		/* merge: .(goto)(0, 766, 768) */
		reached[0][766] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 107: // STATE 757 - commit.pml:190 - [(can_commit_y)] (768:0:1 - 1)
		IfNotBlocked
		reached[0][757] = 1;
		if (!(((int)now.can_commit_y)))
			continue;
		/* merge: decision[1] = 2(0, 758, 768) */
		reached[0][758] = 1;
		(trpt+1)->bup.oval = ((int)now.decision[1]);
		now.decision[1] = 2;
#ifdef VAR_RANGES
		logval("decision[1]", ((int)now.decision[1]));
#endif
		;
		/* merge: .(goto)(0, 763, 768) */
		reached[0][763] = 1;
		;
		/* merge: .(goto)(0, 766, 768) */
		reached[0][766] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 108: // STATE 759 - commit.pml:191 - [(can_skip)] (768:0:1 - 1)
		IfNotBlocked
		reached[0][759] = 1;
		if (!(((int)now.can_skip)))
			continue;
		/* merge: decision[1] = 3(0, 760, 768) */
		reached[0][760] = 1;
		(trpt+1)->bup.oval = ((int)now.decision[1]);
		now.decision[1] = 3;
#ifdef VAR_RANGES
		logval("decision[1]", ((int)now.decision[1]));
#endif
		;
		/* merge: .(goto)(0, 763, 768) */
		reached[0][763] = 1;
		;
		/* merge: .(goto)(0, 766, 768) */
		reached[0][766] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 109: // STATE 761 - commit.pml:192 - [decision[1] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[0][761] = 1;
		(trpt+1)->bup.oval = ((int)now.decision[1]);
		now.decision[1] = 0;
#ifdef VAR_RANGES
		logval("decision[1]", ((int)now.decision[1]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 110: // STATE 767 - commit.pml:197 - [assert((((decision[0]==0)||(decision[1]==0))||(decision[0]==decision[1])))] (0:0:0 - 1)
		IfNotBlocked
		reached[0][767] = 1;
		spin_assert((((((int)now.decision[0])==0)||(((int)now.decision[1])==0))||(((int)now.decision[0])==((int)now.decision[1]))), "(((decision[0]==0)||(decision[1]==0))||(decision[0]==decision[1]))", II, tt, t);
		_m = 3; goto P999; /* 0 */
	case 111: // STATE 770 - commit.pml:264 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[0][770] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */
	case  _T5:	/* np_ */
		if (!((!(trpt->o_pm&4) && !(trpt->tau&128))))
			continue;
		/* else fall through */
	case  _T2:	/* true */
		_m = 3; goto P999;
#undef rand
	}

