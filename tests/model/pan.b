	switch (t->back) {
	default: Uerror("bad return move");
	case  0: goto R999; /* nothing to undo */

		 /* PROC :init: */

	case 3: // STATE 1
		;
		now.byzantine = trpt->bup.oval;
		;
		goto R999;

	case 4: // STATE 2
		;
		now.byzantine = trpt->bup.oval;
		;
		goto R999;

	case 5: // STATE 3
		;
		now.byzantine = trpt->bup.oval;
		;
		goto R999;

	case 6: // STATE 4
		;
		now.byzantine = trpt->bup.oval;
		;
		goto R999;

	case 7: // STATE 7
		;
		now.forged = trpt->bup.oval;
		;
		goto R999;

	case 8: // STATE 8
		;
		now.forged = trpt->bup.oval;
		;
		goto R999;

	case 9: // STATE 10
		;
		now.value[0] = trpt->bup.oval;
		;
		goto R999;

	case 10: // STATE 12
		;
		now.value[1] = trpt->bup.oval;
		;
		goto R999;

	case 11: // STATE 14
		;
		now.value[2] = trpt->bup.oval;
		;
		goto R999;

	case 12: // STATE 16
		;
		now.value[3] = trpt->bup.oval;
		;
		goto R999;
	case 13: // STATE 96
		sv_restor();
		goto R999;

	case 14: // STATE 98
		;
		now.count = trpt->bup.ovals[1];
		now.author = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 16: // STATE 103
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 18: // STATE 120
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 19: // STATE 120
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 20: // STATE 120
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 21: // STATE 120
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 22: // STATE 120
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 23: // STATE 120
		;
		now.author = trpt->bup.oval;
		;
		goto R999;

	case 24: // STATE 127
		;
		now.count = trpt->bup.ovals[2];
		now.author = trpt->bup.ovals[1];
		now.possible = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
	case 25: // STATE 203
		sv_restor();
		goto R999;

	case 26: // STATE 205
		;
		now.count = trpt->bup.ovals[1];
		now.author = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 28: // STATE 210
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 30: // STATE 227
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 31: // STATE 227
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 32: // STATE 227
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 33: // STATE 227
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 34: // STATE 227
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 35: // STATE 227
		;
		now.author = trpt->bup.oval;
		;
		goto R999;

	case 36: // STATE 234
		;
		now.count = trpt->bup.ovals[2];
		now.author = trpt->bup.ovals[1];
		now.possible = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
	case 37: // STATE 310
		sv_restor();
		goto R999;

	case 38: // STATE 312
		;
		now.count = trpt->bup.ovals[1];
		now.author = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 40: // STATE 317
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 42: // STATE 334
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 43: // STATE 334
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 44: // STATE 334
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 45: // STATE 334
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 46: // STATE 334
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 47: // STATE 334
		;
		now.author = trpt->bup.oval;
		;
		goto R999;

	case 48: // STATE 341
		;
		now.count = trpt->bup.ovals[2];
		now.author = trpt->bup.ovals[1];
		now.possible = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
	case 49: // STATE 357
		sv_restor();
		goto R999;
	case 50: // STATE 432
		sv_restor();
		goto R999;

	case 51: // STATE 434
		;
		now.count = trpt->bup.ovals[1];
		now.author = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 53: // STATE 439
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 55: // STATE 456
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 56: // STATE 456
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 57: // STATE 456
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 58: // STATE 456
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 59: // STATE 456
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 60: // STATE 456
		;
		now.author = trpt->bup.oval;
		;
		goto R999;

	case 61: // STATE 463
		;
		now.count = trpt->bup.ovals[2];
		now.author = trpt->bup.ovals[1];
		now.possible = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
	case 62: // STATE 492
		sv_restor();
		goto R999;
	case 63: // STATE 567
		sv_restor();
		goto R999;

	case 64: // STATE 569
		;
		now.count = trpt->bup.ovals[1];
		now.author = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 66: // STATE 574
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 68: // STATE 591
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 69: // STATE 591
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 70: // STATE 591
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 71: // STATE 591
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 72: // STATE 591
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 73: // STATE 591
		;
		now.author = trpt->bup.oval;
		;
		goto R999;

	case 74: // STATE 598
		;
		now.count = trpt->bup.ovals[2];
		now.author = trpt->bup.ovals[1];
		now.possible = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		
	case 75: // STATE 600
		goto R999;
;
		
	case 76: // STATE 709
		goto R999;
	case 77: // STATE 675
		sv_restor();
		goto R999;

	case 78: // STATE 677
		;
		now.count = trpt->bup.ovals[1];
		now.author = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 80: // STATE 682
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		;
		
	case 82: // STATE 699
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 83: // STATE 699
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 84: // STATE 699
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 85: // STATE 699
		;
		now.author = trpt->bup.ovals[2];
		now.count = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 86: // STATE 699
		;
		now.author = trpt->bup.ovals[1];
		now.value[ Index(now.author, 4) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 87: // STATE 699
		;
		now.author = trpt->bup.oval;
		;
		goto R999;

	case 88: // STATE 706
		;
		now.count = trpt->bup.ovals[2];
		now.author = trpt->bup.ovals[1];
		now.possible = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 89: // STATE 711
		;
		now.author = trpt->bup.oval;
		;
		goto R999;

	case 90: // STATE 712
		;
		now.author = trpt->bup.oval;
		;
		goto R999;

	case 91: // STATE 713
		;
		now.author = trpt->bup.oval;
		;
		goto R999;

	case 92: // STATE 714
		;
		now.author = trpt->bup.oval;
		;
		goto R999;

	case 93: // STATE 718
		;
		now.v = trpt->bup.oval;
		;
		goto R999;

	case 94: // STATE 720
		;
		now.v = trpt->bup.oval;
		;
		goto R999;

	case 95: // STATE 722
		;
		now.v = trpt->bup.oval;
		;
		goto R999;

	case 96: // STATE 724
		;
		now.v = trpt->bup.oval;
		;
		goto R999;

	case 97: // STATE 726
		;
		now.v = trpt->bup.oval;
		;
		goto R999;

	case 98: // STATE 740
		;
		now.decision[1] = trpt->bup.ovals[3];
		now.v = trpt->bup.ovals[2];
		now.author = trpt->bup.ovals[1];
		now.decision[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 99: // STATE 740
		;
		now.decision[1] = trpt->bup.ovals[3];
		now.v = trpt->bup.ovals[2];
		now.author = trpt->bup.ovals[1];
		now.decision[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 100: // STATE 740
		;
		now.decision[1] = trpt->bup.ovals[3];
		now.v = trpt->bup.ovals[2];
		now.author = trpt->bup.ovals[1];
		now.decision[0] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 4);
		goto R999;

	case 101: // STATE 740
		;
		now.decision[1] = trpt->bup.ovals[2];
		now.v = trpt->bup.ovals[1];
		now.author = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 102: // STATE 743
		;
		now.decision[0] = trpt->bup.oval;
		;
		goto R999;

	case 103: // STATE 745
		;
		now.decision[0] = trpt->bup.oval;
		;
		goto R999;

	case 104: // STATE 747
		;
		now.decision[0] = trpt->bup.oval;
		;
		goto R999;

	case 105: // STATE 748
		;
		now.decision[0] = trpt->bup.oval;
		;
		goto R999;

	case 106: // STATE 756
		;
		now.decision[1] = trpt->bup.oval;
		;
		goto R999;

	case 107: // STATE 758
		;
		now.decision[1] = trpt->bup.oval;
		;
		goto R999;

	case 108: // STATE 760
		;
		now.decision[1] = trpt->bup.oval;
		;
		goto R999;

	case 109: // STATE 761
		;
		now.decision[1] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 111: // STATE 770
		;
		p_restor(II);
		;
		;
		goto R999;
	}

