#ifdef PEG
struct T_SRC {
	char *fl; int ln;
} T_SRC[NTRANS];

void
tr_2_src(int m, char *file, int ln)
{	T_SRC[m].fl = file;
	T_SRC[m].ln = ln;
}

void
putpeg(int n, int m)
{	printf("%5d	trans %4d ", m, n);
	printf("%s:%d\n",
		T_SRC[n].fl, T_SRC[n].ln);
}
#endif

void
settable(void)
{	Trans *T;
	Trans *settr(int, int, int, int, int, char *, int, int, int);

	trans = (Trans ***) emalloc(2*sizeof(Trans **));

	/* proctype 0: :init: */

	trans[0] = (Trans **) emalloc(771*sizeof(Trans *));

	T = trans[ 0][710] = settr(709,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(709,2,21,0,0,"ATOMIC", 1, 2, 0);
	T = trans[ 0][21] = settr(20,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(20,0,5,0,0,"sub-sequence", 1, 2, 0);
	T = trans[0][5] = settr(4,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(4,2,1,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(4,2,2,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(4,2,3,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(4,2,4,0,0,"IF", 1, 2, 0);
	trans[0][1]	= settr(0,2,19,3,3,"byzantine = 0", 1, 2, 0);
	trans[0][6]	= settr(5,2,19,1,0,".(goto)", 1, 2, 0);
	trans[0][2]	= settr(1,2,19,4,4,"byzantine = 1", 1, 2, 0);
	trans[0][3]	= settr(2,2,19,5,5,"byzantine = 2", 1, 2, 0);
	trans[0][4]	= settr(3,2,19,6,6,"byzantine = 3", 1, 2, 0);
	T = trans[0][19] = settr(18,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(18,2,7,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(18,2,8,0,0,"IF", 1, 2, 0);
	trans[0][7]	= settr(6,2,128,7,7,"forged = ((1<<1)|(1<<2))", 1, 2, 0);
	trans[0][20]	= settr(19,2,128,1,0,".(goto)", 1, 2, 0);
	trans[0][8]	= settr(7,2,17,8,8,"forged = (1<<0)", 1, 2, 0);
	T = trans[0][17] = settr(16,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(16,2,9,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(16,2,11,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(16,2,13,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(16,2,15,0,0,"IF", 1, 2, 0);
	trans[0][9]	= settr(8,2,128,9,9,"((byzantine!=0))", 1, 2, 0); /* m: 10 -> 128,0 */
	reached0[10] = 1;
	trans[0][10]	= settr(0,0,0,0,0,"value[0] = 1",0,0,0);
	trans[0][18]	= settr(17,2,128,1,0,".(goto)", 1, 2, 0);
	trans[0][11]	= settr(10,2,128,10,10,"((byzantine!=1))", 1, 2, 0); /* m: 12 -> 128,0 */
	reached0[12] = 1;
	trans[0][12]	= settr(0,0,0,0,0,"value[1] = 1",0,0,0);
	trans[0][13]	= settr(12,2,128,11,11,"((byzantine!=2))", 1, 2, 0); /* m: 14 -> 128,0 */
	reached0[14] = 1;
	trans[0][14]	= settr(0,0,0,0,0,"value[2] = 1",0,0,0);
	trans[0][15]	= settr(14,2,128,12,12,"((byzantine!=3))", 1, 2, 0); /* m: 16 -> 128,0 */
	reached0[16] = 1;
	trans[0][16]	= settr(0,0,0,0,0,"value[3] = 1",0,0,0);
	T = trans[ 0][128] = settr(127,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(127,0,96,0,0,"sub-sequence", 1, 2, 0);
/*->*/	trans[0][96]	= settr(95,34,97,13,13,"D_STEP132", 1, 2, 0);
	trans[0][97]	= settr(96,2,121,14,14,"author = 0", 1, 2, 0); /* m: 98 -> 0,121 */
	reached0[98] = 1;
	trans[0][98]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	trans[0][122]	= settr(121,2,121,1,0,".(goto)", 1, 2, 0);
	T = trans[0][121] = settr(120,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(120,2,99,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(120,2,101,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(120,2,104,0,0,"DO", 1, 2, 0);
	trans[0][99]	= settr(98,2,124,15,0,"((author==4))", 1, 2, 0);
	trans[0][100]	= settr(99,2,124,1,0,"goto :b3", 1, 2, 0);
	trans[0][101]	= settr(100,2,121,16,16,"(((author<4)&&(author==byzantine)))", 1, 2, 0); /* m: 102 -> 121,0 */
	reached0[102] = 1;
	trans[0][102]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][103]	= settr(0,0,0,0,0,"author = (author+1)",0,0,0);
	trans[0][104]	= settr(103,2,118,17,0,"(((author<4)&&(author!=byzantine)))", 1, 2, 0);
	T = trans[0][118] = settr(117,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(117,2,105,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(117,2,108,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(117,2,111,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(117,2,114,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(117,2,117,0,0,"IF", 1, 2, 0);
	trans[0][105]	= settr(104,2,121,18,18,"((possible&(1<<0)))", 1, 2, 0); /* m: 106 -> 121,0 */
	reached0[106] = 1;
	trans[0][106]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][107]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][119]	= settr(118,2,120,1,0,".(goto)", 1, 2, 0); /* m: 120 -> 0,121 */
	reached0[120] = 1;
	trans[0][108]	= settr(107,2,121,19,19,"((possible&(1<<1)))", 1, 2, 0); /* m: 109 -> 121,0 */
	reached0[109] = 1;
	trans[0][109]	= settr(0,0,0,0,0,"value[author] = 1",0,0,0);
	trans[0][110]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][111]	= settr(110,2,121,20,20,"((possible&(1<<2)))", 1, 2, 0); /* m: 112 -> 121,0 */
	reached0[112] = 1;
	trans[0][112]	= settr(0,0,0,0,0,"value[author] = 2",0,0,0);
	trans[0][113]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][114]	= settr(113,2,121,21,21,"((possible&(1<<3)))", 1, 2, 0); /* m: 115 -> 121,0 */
	reached0[115] = 1;
	trans[0][115]	= settr(0,0,0,0,0,"value[author] = 3",0,0,0);
	trans[0][116]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][117]	= settr(116,2,121,22,22,"value[author] = 4", 1, 2, 0); /* m: 120 -> 0,121 */
	reached0[120] = 1;
	trans[0][120]	= settr(119,2,121,23,23,"author = (author+1)", 1, 2, 0);
	trans[0][123]	= settr(122,2,124,1,0,"break", 1, 2, 0);
	trans[0][124]	= settr(123,2,235,24,24,"((count>=(3-1)))", 1, 2, 0); /* m: 125 -> 235,0 */
	reached0[125] = 1;
	trans[0][125]	= settr(0,0,0,0,0,"possible = 0",0,0,0);
	trans[0][126]	= settr(0,0,0,0,0,"author = 0",0,0,0);
	trans[0][127]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	T = trans[ 0][235] = settr(234,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(234,0,203,0,0,"sub-sequence", 1, 2, 0);
/*->*/	trans[0][203]	= settr(202,34,204,25,25,"D_STEP132", 1, 2, 0);
	trans[0][204]	= settr(203,2,228,26,26,"author = 0", 1, 2, 0); /* m: 205 -> 0,228 */
	reached0[205] = 1;
	trans[0][205]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	trans[0][229]	= settr(228,2,228,1,0,".(goto)", 1, 2, 0);
	T = trans[0][228] = settr(227,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(227,2,206,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(227,2,208,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(227,2,211,0,0,"DO", 1, 2, 0);
	trans[0][206]	= settr(205,2,231,27,0,"((author==4))", 1, 2, 0);
	trans[0][207]	= settr(206,2,231,1,0,"goto :b7", 1, 2, 0);
	trans[0][208]	= settr(207,2,228,28,28,"(((author<4)&&(author==byzantine)))", 1, 2, 0); /* m: 209 -> 228,0 */
	reached0[209] = 1;
	trans[0][209]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][210]	= settr(0,0,0,0,0,"author = (author+1)",0,0,0);
	trans[0][211]	= settr(210,2,225,29,0,"(((author<4)&&(author!=byzantine)))", 1, 2, 0);
	T = trans[0][225] = settr(224,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(224,2,212,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(224,2,215,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(224,2,218,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(224,2,221,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(224,2,224,0,0,"IF", 1, 2, 0);
	trans[0][212]	= settr(211,2,228,30,30,"((possible&(1<<0)))", 1, 2, 0); /* m: 213 -> 228,0 */
	reached0[213] = 1;
	trans[0][213]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][214]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][226]	= settr(225,2,227,1,0,".(goto)", 1, 2, 0); /* m: 227 -> 0,228 */
	reached0[227] = 1;
	trans[0][215]	= settr(214,2,228,31,31,"((possible&(1<<1)))", 1, 2, 0); /* m: 216 -> 228,0 */
	reached0[216] = 1;
	trans[0][216]	= settr(0,0,0,0,0,"value[author] = 1",0,0,0);
	trans[0][217]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][218]	= settr(217,2,228,32,32,"((possible&(1<<2)))", 1, 2, 0); /* m: 219 -> 228,0 */
	reached0[219] = 1;
	trans[0][219]	= settr(0,0,0,0,0,"value[author] = 2",0,0,0);
	trans[0][220]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][221]	= settr(220,2,228,33,33,"((possible&(1<<3)))", 1, 2, 0); /* m: 222 -> 228,0 */
	reached0[222] = 1;
	trans[0][222]	= settr(0,0,0,0,0,"value[author] = 3",0,0,0);
	trans[0][223]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][224]	= settr(223,2,228,34,34,"value[author] = 4", 1, 2, 0); /* m: 227 -> 0,228 */
	reached0[227] = 1;
	trans[0][227]	= settr(226,2,228,35,35,"author = (author+1)", 1, 2, 0);
	trans[0][230]	= settr(229,2,231,1,0,"break", 1, 2, 0);
	trans[0][231]	= settr(230,2,342,36,36,"((count>=(3-1)))", 1, 2, 0); /* m: 232 -> 342,0 */
	reached0[232] = 1;
	trans[0][232]	= settr(0,0,0,0,0,"possible = 0",0,0,0);
	trans[0][233]	= settr(0,0,0,0,0,"author = 0",0,0,0);
	trans[0][234]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	T = trans[ 0][342] = settr(341,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(341,0,310,0,0,"sub-sequence", 1, 2, 0);
/*->*/	trans[0][310]	= settr(309,34,311,37,37,"D_STEP132", 1, 2, 0);
	trans[0][311]	= settr(310,2,335,38,38,"author = 0", 1, 2, 0); /* m: 312 -> 0,335 */
	reached0[312] = 1;
	trans[0][312]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	trans[0][336]	= settr(335,2,335,1,0,".(goto)", 1, 2, 0);
	T = trans[0][335] = settr(334,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(334,2,313,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(334,2,315,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(334,2,318,0,0,"DO", 1, 2, 0);
	trans[0][313]	= settr(312,2,338,39,0,"((author==4))", 1, 2, 0);
	trans[0][314]	= settr(313,2,338,1,0,"goto :b11", 1, 2, 0);
	trans[0][315]	= settr(314,2,335,40,40,"(((author<4)&&(author==byzantine)))", 1, 2, 0); /* m: 316 -> 335,0 */
	reached0[316] = 1;
	trans[0][316]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][317]	= settr(0,0,0,0,0,"author = (author+1)",0,0,0);
	trans[0][318]	= settr(317,2,332,41,0,"(((author<4)&&(author!=byzantine)))", 1, 2, 0);
	T = trans[0][332] = settr(331,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(331,2,319,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(331,2,322,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(331,2,325,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(331,2,328,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(331,2,331,0,0,"IF", 1, 2, 0);
	trans[0][319]	= settr(318,2,335,42,42,"((possible&(1<<0)))", 1, 2, 0); /* m: 320 -> 335,0 */
	reached0[320] = 1;
	trans[0][320]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][321]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][333]	= settr(332,2,334,1,0,".(goto)", 1, 2, 0); /* m: 334 -> 0,335 */
	reached0[334] = 1;
	trans[0][322]	= settr(321,2,335,43,43,"((possible&(1<<1)))", 1, 2, 0); /* m: 323 -> 335,0 */
	reached0[323] = 1;
	trans[0][323]	= settr(0,0,0,0,0,"value[author] = 1",0,0,0);
	trans[0][324]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][325]	= settr(324,2,335,44,44,"((possible&(1<<2)))", 1, 2, 0); /* m: 326 -> 335,0 */
	reached0[326] = 1;
	trans[0][326]	= settr(0,0,0,0,0,"value[author] = 2",0,0,0);
	trans[0][327]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][328]	= settr(327,2,335,45,45,"((possible&(1<<3)))", 1, 2, 0); /* m: 329 -> 335,0 */
	reached0[329] = 1;
	trans[0][329]	= settr(0,0,0,0,0,"value[author] = 3",0,0,0);
	trans[0][330]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][331]	= settr(330,2,335,46,46,"value[author] = 4", 1, 2, 0); /* m: 334 -> 0,335 */
	reached0[334] = 1;
	trans[0][334]	= settr(333,2,335,47,47,"author = (author+1)", 1, 2, 0);
	trans[0][337]	= settr(336,2,338,1,0,"break", 1, 2, 0);
	trans[0][338]	= settr(337,2,357,48,48,"((count>=(3-1)))", 1, 2, 0); /* m: 339 -> 357,0 */
	reached0[339] = 1;
	trans[0][339]	= settr(0,0,0,0,0,"possible = 0",0,0,0);
	trans[0][340]	= settr(0,0,0,0,0,"author = 0",0,0,0);
	trans[0][341]	= settr(0,0,0,0,0,"count = 0",0,0,0);
/*->*/	trans[0][357]	= settr(356,34,464,49,49,"D_STEP228", 1, 2, 0);
	T = trans[ 0][464] = settr(463,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(463,0,432,0,0,"sub-sequence", 1, 2, 0);
/*->*/	trans[0][432]	= settr(431,34,433,50,50,"D_STEP132", 1, 2, 0);
	trans[0][433]	= settr(432,2,457,51,51,"author = 0", 1, 2, 0); /* m: 434 -> 0,457 */
	reached0[434] = 1;
	trans[0][434]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	trans[0][458]	= settr(457,2,457,1,0,".(goto)", 1, 2, 0);
	T = trans[0][457] = settr(456,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(456,2,435,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(456,2,437,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(456,2,440,0,0,"DO", 1, 2, 0);
	trans[0][435]	= settr(434,2,460,52,0,"((author==4))", 1, 2, 0);
	trans[0][436]	= settr(435,2,460,1,0,"goto :b16", 1, 2, 0);
	trans[0][437]	= settr(436,2,457,53,53,"(((author<4)&&(author==byzantine)))", 1, 2, 0); /* m: 438 -> 457,0 */
	reached0[438] = 1;
	trans[0][438]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][439]	= settr(0,0,0,0,0,"author = (author+1)",0,0,0);
	trans[0][440]	= settr(439,2,454,54,0,"(((author<4)&&(author!=byzantine)))", 1, 2, 0);
	T = trans[0][454] = settr(453,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(453,2,441,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(453,2,444,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(453,2,447,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(453,2,450,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(453,2,453,0,0,"IF", 1, 2, 0);
	trans[0][441]	= settr(440,2,457,55,55,"((possible&(1<<0)))", 1, 2, 0); /* m: 442 -> 457,0 */
	reached0[442] = 1;
	trans[0][442]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][443]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][455]	= settr(454,2,456,1,0,".(goto)", 1, 2, 0); /* m: 456 -> 0,457 */
	reached0[456] = 1;
	trans[0][444]	= settr(443,2,457,56,56,"((possible&(1<<1)))", 1, 2, 0); /* m: 445 -> 457,0 */
	reached0[445] = 1;
	trans[0][445]	= settr(0,0,0,0,0,"value[author] = 1",0,0,0);
	trans[0][446]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][447]	= settr(446,2,457,57,57,"((possible&(1<<2)))", 1, 2, 0); /* m: 448 -> 457,0 */
	reached0[448] = 1;
	trans[0][448]	= settr(0,0,0,0,0,"value[author] = 2",0,0,0);
	trans[0][449]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][450]	= settr(449,2,457,58,58,"((possible&(1<<3)))", 1, 2, 0); /* m: 451 -> 457,0 */
	reached0[451] = 1;
	trans[0][451]	= settr(0,0,0,0,0,"value[author] = 3",0,0,0);
	trans[0][452]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][453]	= settr(452,2,457,59,59,"value[author] = 4", 1, 2, 0); /* m: 456 -> 0,457 */
	reached0[456] = 1;
	trans[0][456]	= settr(455,2,457,60,60,"author = (author+1)", 1, 2, 0);
	trans[0][459]	= settr(458,2,460,1,0,"break", 1, 2, 0);
	trans[0][460]	= settr(459,2,492,61,61,"((count>=(3-1)))", 1, 2, 0); /* m: 461 -> 492,0 */
	reached0[461] = 1;
	trans[0][461]	= settr(0,0,0,0,0,"possible = 0",0,0,0);
	trans[0][462]	= settr(0,0,0,0,0,"author = 0",0,0,0);
	trans[0][463]	= settr(0,0,0,0,0,"count = 0",0,0,0);
/*->*/	trans[0][492]	= settr(491,34,599,62,62,"D_STEP230", 1, 2, 0);
	T = trans[ 0][599] = settr(598,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(598,0,567,0,0,"sub-sequence", 1, 2, 0);
/*->*/	trans[0][567]	= settr(566,34,568,63,63,"D_STEP132", 1, 2, 0);
	trans[0][568]	= settr(567,2,592,64,64,"author = 0", 1, 2, 0); /* m: 569 -> 0,592 */
	reached0[569] = 1;
	trans[0][569]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	trans[0][593]	= settr(592,2,592,1,0,".(goto)", 1, 2, 0);
	T = trans[0][592] = settr(591,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(591,2,570,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(591,2,572,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(591,2,575,0,0,"DO", 1, 2, 0);
	trans[0][570]	= settr(569,2,595,65,0,"((author==4))", 1, 2, 0);
	trans[0][571]	= settr(570,2,595,1,0,"goto :b22", 1, 2, 0);
	trans[0][572]	= settr(571,2,592,66,66,"(((author<4)&&(author==byzantine)))", 1, 2, 0); /* m: 573 -> 592,0 */
	reached0[573] = 1;
	trans[0][573]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][574]	= settr(0,0,0,0,0,"author = (author+1)",0,0,0);
	trans[0][575]	= settr(574,2,589,67,0,"(((author<4)&&(author!=byzantine)))", 1, 2, 0);
	T = trans[0][589] = settr(588,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(588,2,576,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(588,2,579,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(588,2,582,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(588,2,585,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(588,2,588,0,0,"IF", 1, 2, 0);
	trans[0][576]	= settr(575,2,592,68,68,"((possible&(1<<0)))", 1, 2, 0); /* m: 577 -> 592,0 */
	reached0[577] = 1;
	trans[0][577]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][578]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][590]	= settr(589,2,591,1,0,".(goto)", 1, 2, 0); /* m: 591 -> 0,592 */
	reached0[591] = 1;
	trans[0][579]	= settr(578,2,592,69,69,"((possible&(1<<1)))", 1, 2, 0); /* m: 580 -> 592,0 */
	reached0[580] = 1;
	trans[0][580]	= settr(0,0,0,0,0,"value[author] = 1",0,0,0);
	trans[0][581]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][582]	= settr(581,2,592,70,70,"((possible&(1<<2)))", 1, 2, 0); /* m: 583 -> 592,0 */
	reached0[583] = 1;
	trans[0][583]	= settr(0,0,0,0,0,"value[author] = 2",0,0,0);
	trans[0][584]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][585]	= settr(584,2,592,71,71,"((possible&(1<<3)))", 1, 2, 0); /* m: 586 -> 592,0 */
	reached0[586] = 1;
	trans[0][586]	= settr(0,0,0,0,0,"value[author] = 3",0,0,0);
	trans[0][587]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][588]	= settr(587,2,592,72,72,"value[author] = 4", 1, 2, 0); /* m: 591 -> 0,592 */
	reached0[591] = 1;
	trans[0][591]	= settr(590,2,592,73,73,"author = (author+1)", 1, 2, 0);
	trans[0][594]	= settr(593,2,595,1,0,"break", 1, 2, 0);
	trans[0][595]	= settr(594,2,708,74,74,"((count>=(3-1)))", 1, 2, 0); /* m: 596 -> 708,0 */
	reached0[596] = 1;
	trans[0][596]	= settr(0,0,0,0,0,"possible = 0",0,0,0);
	trans[0][597]	= settr(0,0,0,0,0,"author = 0",0,0,0);
	trans[0][598]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	T = trans[0][708] = settr(707,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(707,2,600,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(707,2,707,0,0,"IF", 1, 2, 0);
	trans[0][600]	= settr(599,4,769,75,75,"(1)", 1, 2, 0); /* m: 709 -> 769,0 */
	reached0[709] = 1;
	trans[0][709]	= settr(708,0,769,76,76,".(goto)", 1, 2, 0);
	T = trans[ 0][707] = settr(706,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(706,0,675,0,0,"sub-sequence", 1, 2, 0);
/*->*/	trans[0][675]	= settr(674,34,676,77,77,"D_STEP132", 1, 2, 0);
	trans[0][676]	= settr(675,2,700,78,78,"author = 0", 1, 2, 0); /* m: 677 -> 0,700 */
	reached0[677] = 1;
	trans[0][677]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	trans[0][701]	= settr(700,2,700,1,0,".(goto)", 1, 2, 0);
	T = trans[0][700] = settr(699,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(699,2,678,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(699,2,680,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(699,2,683,0,0,"DO", 1, 2, 0);
	trans[0][678]	= settr(677,2,703,79,0,"((author==4))", 1, 2, 0);
	trans[0][679]	= settr(678,2,703,1,0,"goto :b26", 1, 2, 0);
	trans[0][680]	= settr(679,2,700,80,80,"(((author<4)&&(author==byzantine)))", 1, 2, 0); /* m: 681 -> 700,0 */
	reached0[681] = 1;
	trans[0][681]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][682]	= settr(0,0,0,0,0,"author = (author+1)",0,0,0);
	trans[0][683]	= settr(682,2,697,81,0,"(((author<4)&&(author!=byzantine)))", 1, 2, 0);
	T = trans[0][697] = settr(696,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(696,2,684,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(696,2,687,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(696,2,690,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(696,2,693,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(696,2,696,0,0,"IF", 1, 2, 0);
	trans[0][684]	= settr(683,2,700,82,82,"((possible&(1<<0)))", 1, 2, 0); /* m: 685 -> 700,0 */
	reached0[685] = 1;
	trans[0][685]	= settr(0,0,0,0,0,"value[author] = 0",0,0,0);
	trans[0][686]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][698]	= settr(697,2,699,1,0,".(goto)", 1, 2, 0); /* m: 699 -> 0,700 */
	reached0[699] = 1;
	trans[0][687]	= settr(686,2,700,83,83,"((possible&(1<<1)))", 1, 2, 0); /* m: 688 -> 700,0 */
	reached0[688] = 1;
	trans[0][688]	= settr(0,0,0,0,0,"value[author] = 1",0,0,0);
	trans[0][689]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][690]	= settr(689,2,700,84,84,"((possible&(1<<2)))", 1, 2, 0); /* m: 691 -> 700,0 */
	reached0[691] = 1;
	trans[0][691]	= settr(0,0,0,0,0,"value[author] = 2",0,0,0);
	trans[0][692]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][693]	= settr(692,2,700,85,85,"((possible&(1<<3)))", 1, 2, 0); /* m: 694 -> 700,0 */
	reached0[694] = 1;
	trans[0][694]	= settr(0,0,0,0,0,"value[author] = 3",0,0,0);
	trans[0][695]	= settr(0,0,0,0,0,"count = (count+1)",0,0,0);
	trans[0][696]	= settr(695,2,700,86,86,"value[author] = 4", 1, 2, 0); /* m: 699 -> 0,700 */
	reached0[699] = 1;
	trans[0][699]	= settr(698,2,700,87,87,"author = (author+1)", 1, 2, 0);
	trans[0][702]	= settr(701,2,703,1,0,"break", 1, 2, 0);
	trans[0][703]	= settr(702,4,769,88,88,"((count>=(3-1)))", 1, 2, 0); /* m: 704 -> 769,0 */
	reached0[704] = 1;
	trans[0][704]	= settr(0,0,0,0,0,"possible = 0",0,0,0);
	trans[0][705]	= settr(0,0,0,0,0,"author = 0",0,0,0);
	trans[0][706]	= settr(0,0,0,0,0,"count = 0",0,0,0);
	T = trans[ 0][769] = settr(768,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(768,2,739,0,0,"ATOMIC", 1, 2, 0);
	T = trans[ 0][739] = settr(738,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(738,0,715,0,0,"sub-sequence", 1, 2, 0);
	T = trans[0][715] = settr(714,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(714,2,711,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(714,2,712,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(714,2,713,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(714,2,714,0,0,"IF", 1, 2, 0);
	trans[0][711]	= settr(710,2,727,89,89,"author = 0", 1, 2, 0);
	trans[0][716]	= settr(715,2,727,1,0,".(goto)", 1, 2, 0);
	trans[0][712]	= settr(711,2,727,90,90,"author = 1", 1, 2, 0);
	trans[0][713]	= settr(712,2,727,91,91,"author = 2", 1, 2, 0);
	trans[0][714]	= settr(713,2,727,92,92,"author = 3", 1, 2, 0);
	T = trans[0][727] = settr(726,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(726,2,717,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(726,2,719,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(726,2,721,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(726,2,723,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(726,2,725,0,0,"IF", 1, 2, 0);
	trans[0][717]	= settr(716,2,735,93,93,"(((author==byzantine)&&(forged&(1<<0))))", 1, 2, 0); /* m: 718 -> 735,0 */
	reached0[718] = 1;
	trans[0][718]	= settr(0,0,0,0,0,"v = 0",0,0,0);
	trans[0][728]	= settr(727,2,735,1,0,".(goto)", 1, 2, 0);
	trans[0][719]	= settr(718,2,735,94,94,"(((author==byzantine)&&(forged&(1<<1))))", 1, 2, 0); /* m: 720 -> 735,0 */
	reached0[720] = 1;
	trans[0][720]	= settr(0,0,0,0,0,"v = 1",0,0,0);
	trans[0][721]	= settr(720,2,735,95,95,"(((author==byzantine)&&(forged&(1<<2))))", 1, 2, 0); /* m: 722 -> 735,0 */
	reached0[722] = 1;
	trans[0][722]	= settr(0,0,0,0,0,"v = 2",0,0,0);
	trans[0][723]	= settr(722,2,735,96,96,"(((author==byzantine)&&(forged&(1<<3))))", 1, 2, 0); /* m: 724 -> 735,0 */
	reached0[724] = 1;
	trans[0][724]	= settr(0,0,0,0,0,"v = 3",0,0,0);
	trans[0][725]	= settr(724,2,735,97,97,"(((author!=byzantine)&&(value[author]!=4)))", 1, 2, 0); /* m: 726 -> 735,0 */
	reached0[726] = 1;
	trans[0][726]	= settr(0,0,0,0,0,"v = value[author]",0,0,0);
	T = trans[0][735] = settr(734,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(734,2,729,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(734,2,731,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(734,2,733,0,0,"IF", 1, 2, 0);
	trans[0][729]	= settr(728,2,752,98,98,"((v==0))", 1, 2, 0); /* m: 730 -> 752,0 */
	reached0[730] = 1;
	trans[0][730]	= settr(0,0,0,0,0,"decision[0] = 3",0,0,0);
	trans[0][736]	= settr(735,2,737,1,0,".(goto)", 1, 2, 0); /* m: 737 -> 0,752 */
	reached0[737] = 1;
	trans[0][731]	= settr(730,2,752,99,99,"(((v==1)||(v==3)))", 1, 2, 0); /* m: 732 -> 752,0 */
	reached0[732] = 1;
	trans[0][732]	= settr(0,0,0,0,0,"decision[0] = 1",0,0,0);
	trans[0][733]	= settr(732,2,752,100,100,"(((v==2)||(v==3)))", 1, 2, 0); /* m: 734 -> 752,0 */
	reached0[734] = 1;
	trans[0][734]	= settr(0,0,0,0,0,"decision[0] = 2",0,0,0);
	trans[0][737]	= settr(736,2,752,101,101,"author = 0", 1, 2, 0); /* m: 738 -> 0,752 */
	reached0[738] = 1;
	trans[0][738]	= settr(0,0,0,0,0,"v = 0",0,0,0);
	trans[0][740]	= settr(0,0,0,0,0,"decision[1] = decision[0]",0,0,0);
	T = trans[0][752] = settr(751,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(751,2,741,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(751,2,751,0,0,"IF", 1, 2, 0);
	trans[0][741]	= settr(740,2,765,1,0,"(1)", 1, 2, 0);
	trans[0][753]	= settr(752,2,765,1,0,".(goto)", 1, 2, 0);
	T = trans[ 0][751] = settr(750,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(750,0,749,0,0,"sub-sequence", 1, 2, 0);
	T = trans[0][749] = settr(748,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(748,2,742,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(748,2,744,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(748,2,746,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(748,2,748,0,0,"IF", 1, 2, 0);
	trans[0][742]	= settr(741,2,765,102,102,"(can_commit_x)", 1, 2, 0); /* m: 743 -> 765,0 */
	reached0[743] = 1;
	trans[0][743]	= settr(0,0,0,0,0,"decision[0] = 1",0,0,0);
	trans[0][750]	= settr(749,2,765,1,0,".(goto)", 1, 2, 0);
	trans[0][744]	= settr(743,2,765,103,103,"(can_commit_y)", 1, 2, 0); /* m: 745 -> 765,0 */
	reached0[745] = 1;
	trans[0][745]	= settr(0,0,0,0,0,"decision[0] = 2",0,0,0);
	trans[0][746]	= settr(745,2,765,104,104,"(can_skip)", 1, 2, 0); /* m: 747 -> 765,0 */
	reached0[747] = 1;
	trans[0][747]	= settr(0,0,0,0,0,"decision[0] = 3",0,0,0);
	trans[0][748]	= settr(747,2,765,105,105,"decision[0] = 0", 1, 2, 0);
	T = trans[0][765] = settr(764,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(764,2,754,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(764,2,764,0,0,"IF", 1, 2, 0);
	trans[0][754]	= settr(753,2,768,1,0,"(1)", 1, 2, 0);
	trans[0][766]	= settr(765,2,768,1,0,".(goto)", 1, 2, 0);
	T = trans[ 0][764] = settr(763,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(763,0,762,0,0,"sub-sequence", 1, 2, 0);
	T = trans[0][762] = settr(761,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(761,2,755,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(761,2,757,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(761,2,759,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(761,2,761,0,0,"IF", 1, 2, 0);
	trans[0][755]	= settr(754,2,768,106,106,"(can_commit_x)", 1, 2, 0); /* m: 756 -> 768,0 */
	reached0[756] = 1;
	trans[0][756]	= settr(0,0,0,0,0,"decision[1] = 1",0,0,0);
	trans[0][763]	= settr(762,2,768,1,0,".(goto)", 1, 2, 0);
	trans[0][757]	= settr(756,2,768,107,107,"(can_commit_y)", 1, 2, 0); /* m: 758 -> 768,0 */
	reached0[758] = 1;
	trans[0][758]	= settr(0,0,0,0,0,"decision[1] = 2",0,0,0);
	trans[0][759]	= settr(758,2,768,108,108,"(can_skip)", 1, 2, 0); /* m: 760 -> 768,0 */
	reached0[760] = 1;
	trans[0][760]	= settr(0,0,0,0,0,"decision[1] = 3",0,0,0);
	trans[0][761]	= settr(760,2,768,109,109,"decision[1] = 0", 1, 2, 0);
	T = trans[ 0][768] = settr(767,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(767,0,767,0,0,"sub-sequence", 1, 2, 0);
	trans[0][767]	= settr(766,0,770,110,0,"assert((((decision[0]==0)||(decision[1]==0))||(decision[0]==decision[1])))", 1, 2, 0);
	trans[0][770]	= settr(769,0,0,111,111,"-end-", 0, 3500, 0);
	/* np_ demon: */
	trans[_NP_] = (Trans **) emalloc(3*sizeof(Trans *));
	T = trans[_NP_][0] = settr(9997,0,1,_T5,0,"(np_)", 1,2,0);
	    T->nxt	  = settr(9998,0,0,_T2,0,"(1)",   0,2,0);
	T = trans[_NP_][1] = settr(9999,0,1,_T5,0,"(np_)", 1,2,0);
}

Trans *
settr(	int t_id, int a, int b, int c, int d,
	char *t, int g, int tpe0, int tpe1)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	tmp->atom  = a&(6|32);	/* only (2|8|32) have meaning */
	if (!g) tmp->atom |= 8;	/* no global references */
	tmp->st    = b;
	tmp->tpe[0] = tpe0;
	tmp->tpe[1] = tpe1;
	tmp->tp    = t;
	tmp->t_id  = t_id;
	tmp->forw  = c;
	tmp->back  = d;
	return tmp;
}

Trans *
cpytr(Trans *a)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	int i;
	tmp->atom  = a->atom;
	tmp->st    = a->st;
#ifdef HAS_UNLESS
	tmp->e_trans = a->e_trans;
	for (i = 0; i < HAS_UNLESS; i++)
		tmp->escp[i] = a->escp[i];
#endif
	tmp->tpe[0] = a->tpe[0];
	tmp->tpe[1] = a->tpe[1];
	for (i = 0; i < 6; i++)
	{	tmp->qu[i] = a->qu[i];
		tmp->ty[i] = a->ty[i];
	}
	tmp->tp    = (char *) emalloc(strlen(a->tp)+1);
	strcpy(tmp->tp, a->tp);
	tmp->t_id  = a->t_id;
	tmp->forw  = a->forw;
	tmp->back  = a->back;
	return tmp;
}

#ifndef NOREDUCE
int
srinc_set(int n)
{	if (n <= 2) return LOCAL;
	if (n <= 2+  DELTA) return Q_FULL_F; /* 's' or nfull  */
	if (n <= 2+2*DELTA) return Q_EMPT_F; /* 'r' or nempty */
	if (n <= 2+3*DELTA) return Q_EMPT_T; /* empty */
	if (n <= 2+4*DELTA) return Q_FULL_T; /* full  */
	if (n ==   5*DELTA) return GLOBAL;
	if (n ==   6*DELTA) return TIMEOUT_F;
	if (n ==   7*DELTA) return ALPHA_F;
	Uerror("cannot happen srinc_class");
	return BAD;
}
int
srunc(int n, int m)
{	switch(m) {
	case Q_FULL_F: return n-2;
	case Q_EMPT_F: return n-2-DELTA;
	case Q_EMPT_T: return n-2-2*DELTA;
	case Q_FULL_T: return n-2-3*DELTA;
	case ALPHA_F:
	case TIMEOUT_F: return 257; /* non-zero, and > MAXQ */
	}
	Uerror("cannot happen srunc");
	return 0;
}
#endif
int cnt;
#ifdef HAS_UNLESS
int
isthere(Trans *a, int b)
{	Trans *t;
	for (t = a; t; t = t->nxt)
		if (t->t_id == b)
			return 1;
	return 0;
}
#endif
#ifndef NOREDUCE
int
mark_safety(Trans *t) /* for conditional safety */
{	int g = 0, i, j, k;

	if (!t) return 0;
	if (t->qu[0])
		return (t->qu[1])?2:1;	/* marked */

	for (i = 0; i < 2; i++)
	{	j = srinc_set(t->tpe[i]);
		if (j >= GLOBAL && j != ALPHA_F)
			return -1;
		if (j != LOCAL)
		{	k = srunc(t->tpe[i], j);
			if (g == 0
			||  t->qu[0] != k
			||  t->ty[0] != j)
			{	t->qu[g] = k;
				t->ty[g] = j;
				g++;
	}	}	}
	return g;
}
#endif
void
retrans(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
	/* process n, with m states, is=initial state */
{	Trans *T0, *T1, *T2, *T3;
	Trans *T4, *T5; /* t_reverse or has_unless */
	int i;
#if defined(HAS_UNLESS) || !defined(NOREDUCE)
	int k;
#endif
#ifndef NOREDUCE
	int g, h, j, aa;
#endif
#ifdef HAS_UNLESS
	int p;
#endif
	if (state_tables >= 4)
	{	printf("STEP 1 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	do {
		for (i = 1, cnt = 0; i < m; i++)
		{	T2 = trans[n][i];
			T1 = T2?T2->nxt:(Trans *)0;
/* prescan: */		for (T0 = T1; T0; T0 = T0->nxt)
/* choice in choice */	{	if (T0->st && trans[n][T0->st]
				&&  trans[n][T0->st]->nxt)
					break;
			}
#if 0
		if (T0)
		printf("\tstate %d / %d: choice in choice\n",
		i, T0->st);
#endif
			if (T0)
			for (T0 = T1; T0; T0 = T0->nxt)
			{	T3 = trans[n][T0->st];
				if (!T3->nxt)
				{	T2->nxt = cpytr(T0);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
					continue;
				}
				do {	T3 = T3->nxt;
					T2->nxt = cpytr(T3);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
				} while (T3->nxt);
				cnt++;
			}
		}
	} while (cnt);
	if (state_tables >= 3)
	{	printf("STEP 2 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	for (i = 1; i < m; i++)
	{	if (trans[n][i] && trans[n][i]->nxt) /* optimize */
		{	T1 = trans[n][i]->nxt;
#if 0
			printf("\t\tpull %d (%d) to %d\n",
			T1->st, T1->forw, i);
#endif
			srcln[i] = srcln[T1->st];	/* Oyvind Teig, 5.2.0 */

			if (!trans[n][T1->st]) continue;
			T0 = cpytr(trans[n][T1->st]);
			trans[n][i] = T0;
			reach[T1->st] = 1;
			imed(T0, T1->st, n, i);
			for (T1 = T1->nxt; T1; T1 = T1->nxt)
			{
#if 0
			printf("\t\tpull %d (%d) to %d\n",
				T1->st, T1->forw, i);
#endif
		/*		srcln[i] = srcln[T1->st];  gh: not useful */
				if (!trans[n][T1->st]) continue;
				T0->nxt = cpytr(trans[n][T1->st]);
				T0 = T0->nxt;
				reach[T1->st] = 1;
				imed(T0, T1->st, n, i);
	}	}	}
	if (state_tables >= 2)
	{	printf("STEP 3 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
#ifdef HAS_UNLESS
	for (i = 1; i < m; i++)
	{	if (!trans[n][i]) continue;
		/* check for each state i if an
		 * escape to some state p is defined
		 * if so, copy and mark p's transitions
		 * and prepend them to the transition-
		 * list of state i
		 */
	 if (!like_java) /* the default */
	 {	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->e_trans = p;
				T2->nxt = trans[n][i];
				trans[n][i] = T2;
		}	}
	 } else /* outermost unless checked first */
	 {	T4 = T3 = (Trans *) 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->nxt = (Trans *) 0;
				T2->e_trans = p;
				if (T3)	T3->nxt = T2;
				else	T4 = T2;
				T3 = T2;
		}	}
		if (T4)
		{	T3->nxt = trans[n][i];
			trans[n][i] = T4;
		}
	 }
	}
#endif
#ifndef NOREDUCE
	for (i = 1; i < m; i++)
	{	if (a_cycles)
		{ /* moves through these states are visible */
	#if PROG_LAB>0 && defined(HAS_NP)
			if (progstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (progstate[n][T1->st])
					goto degrade;
	#endif
			if (accpstate[n][i] || visstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (accpstate[n][T1->st])
					goto degrade;
		}
		T1 = trans[n][i];
		if (!T1) continue;
		g = mark_safety(T1);	/* V3.3.1 */
		if (g < 0) goto degrade; /* global */
		/* check if mixing of guards preserves reduction */
		if (T1->nxt)
		{	k = 0;
			for (T0 = T1; T0; T0 = T0->nxt)
			{	if (!(T0->atom&8))
					goto degrade;
				for (aa = 0; aa < 2; aa++)
				{	j = srinc_set(T0->tpe[aa]);
					if (j >= GLOBAL && j != ALPHA_F)
						goto degrade;
					if (T0->tpe[aa]
					&&  T0->tpe[aa]
					!=  T1->tpe[0])
						k = 1;
			}	}
			/* g = 0;	V3.3.1 */
			if (k)	/* non-uniform selection */
			for (T0 = T1; T0; T0 = T0->nxt)
			for (aa = 0; aa < 2; aa++)
			{	j = srinc_set(T0->tpe[aa]);
				if (j != LOCAL)
				{	k = srunc(T0->tpe[aa], j);
					for (h = 0; h < 6; h++)
						if (T1->qu[h] == k
						&&  T1->ty[h] == j)
							break;
					if (h >= 6)
					{	T1->qu[g%6] = k;
						T1->ty[g%6] = j;
						g++;
			}	}	}
			if (g > 6)
			{	T1->qu[0] = 0;	/* turn it off */
				printf("pan: warning, line %d, ",
					srcln[i]);
			 	printf("too many stmnt types (%d)",
					g);
			  	printf(" in selection\n");
			  goto degrade;
			}
		}
		/* mark all options global if >=1 is global */
		for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			if (!(T1->atom&8)) break;
		if (T1)
degrade:	for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			T1->atom &= ~8;	/* mark as unsafe */
		/* can only mix 'r's or 's's if on same chan */
		/* and not mixed with other local operations */
		T1 = trans[n][i];
		if (!T1 || T1->qu[0]) continue;
		j = T1->tpe[0];
		if (T1->nxt && T1->atom&8)
		{ if (j == 5*DELTA)
		  {	printf("warning: line %d ", srcln[i]);
			printf("mixed condition ");
			printf("(defeats reduction)\n");
			goto degrade;
		  }
		  for (T0 = T1; T0; T0 = T0->nxt)
		  for (aa = 0; aa < 2; aa++)
		  if  (T0->tpe[aa] && T0->tpe[aa] != j)
		  {	printf("warning: line %d ", srcln[i]);
			printf("[%d-%d] mixed %stion ",
				T0->tpe[aa], j, 
				(j==5*DELTA)?"condi":"selec");
			printf("(defeats reduction)\n");
			printf("	'%s' <-> '%s'\n",
				T1->tp, T0->tp);
			goto degrade;
		} }
	}
#endif
	for (i = 1; i < m; i++)
	{	T2 = trans[n][i];
		if (!T2
		||  T2->nxt
		||  strncmp(T2->tp, ".(goto)", 7)
		||  !stopstate[n][i])
			continue;
		stopstate[n][T2->st] = 1;
	}
	if (state_tables && !verbose)
	{	if (dodot)
		{	char buf[256], *q = buf, *p = procname[n];
			while (*p != '\0')
			{	if (*p != ':')
				{	*q++ = *p;
				}
				p++;
			}
			*q = '\0';
			printf("digraph ");
			switch (Btypes[n]) {
			case I_PROC:  printf("init {\n"); break;
			case N_CLAIM: printf("claim_%s {\n", buf); break;
			case E_TRACE: printf("notrace {\n"); break;
			case N_TRACE: printf("trace {\n"); break;
			default:      printf("p_%s {\n", buf); break;
			}
			printf("size=\"8,10\";\n");
			printf("  GT [shape=box,style=dotted,label=\"%s\"];\n", buf);
			printf("  GT -> S%d;\n", is);
		} else
		{	switch (Btypes[n]) {
			case I_PROC:  printf("init\n"); break;
			case N_CLAIM: printf("claim %s\n", procname[n]); break;
			case E_TRACE: printf("notrace assertion\n"); break;
			case N_TRACE: printf("trace assertion\n"); break;
			default:      printf("proctype %s\n", procname[n]); break;
		}	}
		for (i = 1; i < m; i++)
		{	reach[i] = 1;
		}
		tagtable(n, m, is, srcln, reach);
		if (dodot) printf("}\n");
	} else
	for (i = 1; i < m; i++)
	{	int nrelse;
		if (Btypes[n] != N_CLAIM)
		{	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			{	if (T0->st == i
				&& strcmp(T0->tp, "(1)") == 0)
				{	printf("error: proctype '%s' ",
						procname[n]);
		  			printf("line %d, state %d: has un",
						srcln[i], i);
					printf("conditional self-loop\n");
					pan_exit(1);
		}	}	}
		nrelse = 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		{	if (strcmp(T0->tp, "else") == 0)
				nrelse++;
		}
		if (nrelse > 1)
		{	printf("error: proctype '%s' state",
				procname[n]);
		  	printf(" %d, inherits %d", i, nrelse);
		  	printf(" 'else' stmnts\n");
			pan_exit(1);
	}	}
#if !defined(LOOPSTATE) && !defined(BFS_PAR)
	if (state_tables)
#endif
	do_dfs(n, m, is, srcln, reach, lpstate);

	if (!t_reverse)
	{	return;
	}
	/* process n, with m states, is=initial state -- reverse list */
	if (!state_tables && Btypes[n] != N_CLAIM)
	{	for (i = 1; i < m; i++)
		{	Trans *Tx = (Trans *) 0; /* list of escapes */
			Trans *Ty = (Trans *) 0; /* its tail element */
			T1 = (Trans *) 0; /* reversed list */
			T2 = (Trans *) 0; /* its tail */
			T3 = (Trans *) 0; /* remembers possible 'else' */

			/* find unless-escapes, they should go first */
			T4 = T5 = T0 = trans[n][i];
	#ifdef HAS_UNLESS
			while (T4 && T4->e_trans) /* escapes are first in orig list */
			{	T5 = T4;	  /* remember predecessor */
				T4 = T4->nxt;
			}
	#endif
			/* T4 points to first non-escape, T5 to its parent, T0 to original list */
			if (T4 != T0)		 /* there was at least one escape */
			{	T3 = T5->nxt;		 /* start of non-escapes */
				T5->nxt = (Trans *) 0;	 /* separate */
				Tx = T0;		 /* start of the escapes */
				Ty = T5;		 /* its tail */
				T0 = T3;		 /* the rest, to be reversed */
			}
			/* T0 points to first non-escape, Tx to the list of escapes, Ty to its tail */

			/* first tail-add non-escape transitions, reversed */
			T3 = (Trans *) 0;
			for (T5 = T0; T5; T5 = T4)
			{	T4 = T5->nxt;
	#ifdef HAS_UNLESS
				if (T5->e_trans)
				{	printf("error: cannot happen!\n");
					continue;
				}
	#endif
				if (strcmp(T5->tp, "else") == 0)
				{	T3 = T5;
					T5->nxt = (Trans *) 0;
				} else
				{	T5->nxt = T1;
					if (!T1) { T2 = T5; }
					T1 = T5;
			}	}
			/* T3 points to a possible else, which is removed from the list */
			/* T1 points to the reversed list so far (without escapes) */
			/* T2 points to the tail element -- where the else should go */
			if (T2 && T3)
			{	T2->nxt = T3;	/* add else */
			} else
			{	if (T3) /* there was an else, but there's no tail */
				{	if (!T1)	/* and no reversed list */
					{	T1 = T3; /* odd, but possible */
					} else		/* even stranger */
					{	T1->nxt = T3;
			}	}	}

			/* add in the escapes, to that they appear at the front */
			if (Tx && Ty) { Ty->nxt = T1; T1 = Tx; }

			trans[n][i] = T1;
			/* reversed, with escapes first and else last */
	}	}
	if (state_tables && verbose)
	{	printf("FINAL proctype %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
	}
}
void
imed(Trans *T, int v, int n, int j)	/* set intermediate state */
{	progstate[n][T->st] |= progstate[n][v];
	accpstate[n][T->st] |= accpstate[n][v];
	stopstate[n][T->st] |= stopstate[n][v];
	mapstate[n][j] = T->st;
}
void
tagtable(int n, int m, int is, short srcln[], uchar reach[])
{	Trans *z;

	if (is >= m || !trans[n][is]
	||  is <= 0 || reach[is] == 0)
		return;
	reach[is] = 0;
	if (state_tables)
	for (z = trans[n][is]; z; z = z->nxt)
	{	if (dodot)
			dot_crack(n, is, z);
		else
			crack(n, is, z, srcln);
	}

	for (z = trans[n][is]; z; z = z->nxt)
	{
#ifdef HAS_UNLESS
		int i, j;
#endif
		tagtable(n, m, z->st, srcln, reach);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			tagtable(n, m, j, srcln, reach);
		}
#endif
	}
}

extern Trans *t_id_lkup[];

void
dfs_table(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	Trans *z;

	if (is >= m || is <= 0 || !trans[n][is])
		return;
	if ((reach[is] & (4|8|16)) != 0)
	{	if ((reach[is] & (8|16)) == 16)	/* on stack, not yet recorded */
		{	lpstate[is] = 1;
			reach[is] |= 8; /* recorded */
			if (state_tables && verbose)
			{	printf("state %d line %d is a loopstate\n", is, srcln[is]);
		}	}
		return;
	}
	reach[is] |= (4|16);	/* visited | onstack */
	for (z = trans[n][is]; z; z = z->nxt)
	{	t_id_lkup[z->t_id] = z;
#ifdef HAS_UNLESS
		int i, j;
#endif
		dfs_table(n, m, z->st, srcln, reach, lpstate);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			dfs_table(n, m, j, srcln, reach, lpstate);
		}
#endif
	}
	reach[is] &= ~16; /* no longer on stack */
}
void
do_dfs(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	int i;
	dfs_table(n, m, is, srcln, reach, lpstate);
	for (i = 0; i < m; i++)
		reach[i] &= ~(4|8|16);
}
void
crack(int n, int j, Trans *z, short srcln[])
{	int i;

	if (!z) return;
	printf("	state %3d -(tr %3d)-> state %3d  ",
		j, z->forw, z->st);
	printf("[id %3d tp %3d", z->t_id, z->tpe[0]);
	if (z->tpe[1]) printf(",%d", z->tpe[1]);
#ifdef HAS_UNLESS
	if (z->e_trans)
		printf(" org %3d", z->e_trans);
	else if (state_tables >= 2)
	for (i = 0; i < HAS_UNLESS; i++)
	{	if (!z->escp[i]) break;
		printf(" esc %d", z->escp[i]);
	}
#endif
	printf("]");
	printf(" [%s%s%s%s%s] %s:%d => ",
		z->atom&6?"A":z->atom&32?"D":"-",
		accpstate[n][j]?"a" :"-",
		stopstate[n][j]?"e" : "-",
		progstate[n][j]?"p" : "-",
		z->atom & 8 ?"L":"G",
		PanSource, srcln[j]);
	for (i = 0; z->tp[i]; i++)
		if (z->tp[i] == '\n')
			printf("\\n");
		else
			putchar(z->tp[i]);
	if (verbose && z->qu[0])
	{	printf("\t[");
		for (i = 0; i < 6; i++)
			if (z->qu[i])
				printf("(%d,%d)",
				z->qu[i], z->ty[i]);
		printf("]");
	}
	printf("\n");
	fflush(stdout);
}
/* spin -a m.pml; cc -o pan pan.c; ./pan -D | dot -Tps > foo.ps; ps2pdf foo.ps */
void
dot_crack(int n, int j, Trans *z)
{	int i;

	if (!z) return;
	printf("	S%d -> S%d  [color=black", j, z->st);

	if (z->atom&6) printf(",style=dashed");
	else if (z->atom&32) printf(",style=dotted");
	else if (z->atom&8) printf(",style=solid");
	else printf(",style=bold");

	printf(",label=\"");
	for (i = 0; z->tp[i]; i++)
	{	if (z->tp[i] == '\\'
		&&  z->tp[i+1] == 'n')
		{	i++; printf(" ");
		} else
		{	putchar(z->tp[i]);
	}	}
	printf("\"];\n");
	if (accpstate[n][j]) printf("  S%d [color=red,style=bold];\n", j);
	else if (progstate[n][j]) printf("  S%d [color=green,style=bold];\n", j);
	if (stopstate[n][j]) printf("  S%d [color=blue,style=bold,shape=box];\n", j);
}

#ifdef VAR_RANGES
#define BYTESIZE	32	/* 2^8 : 2^3 = 256:8 = 32 */

typedef struct Vr_Ptr {
	char	*nm;
	uchar	vals[BYTESIZE];
	struct Vr_Ptr *nxt;
} Vr_Ptr;
Vr_Ptr *ranges = (Vr_Ptr *) 0;

void
logval(char *s, int v)
{	Vr_Ptr *tmp;

	if (v<0 || v > 255) return;
	for (tmp = ranges; tmp; tmp = tmp->nxt)
		if (!strcmp(tmp->nm, s))
			goto found;
	tmp = (Vr_Ptr *) emalloc(sizeof(Vr_Ptr));
	tmp->nxt = ranges;
	ranges = tmp;
	tmp->nm = s;
found:
	tmp->vals[(v)/8] |= 1<<((v)%8);
}

void
dumpval(uchar X[], int range)
{	int w, x, i, j = -1;

	for (w = i = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
from:		if ((X[w] & (1<<x)))
		{	printf("%d", i);
			j = i;
			goto upto;
	}	}
	return;
	for (w = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
upto:		if (!(X[w] & (1<<x)))
		{	if (i-1 == j)
				printf(", ");
			else
				printf("-%d, ", i-1);
			goto from;
	}	}
	if (j >= 0 && j != 255)
		printf("-255");
}

void
dumpranges(void)
{	Vr_Ptr *tmp;
	printf("\nValues assigned within ");
	printf("interval [0..255]:\n");
	for (tmp = ranges; tmp; tmp = tmp->nxt)
	{	printf("\t%s\t: ", tmp->nm);
		dumpval(tmp->vals, BYTESIZE);
		printf("\n");
	}
}
#endif
