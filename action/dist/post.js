import{createRequire}from'node:module';const require=createRequire(import.meta.url);
import{a as t,f as i,k as m,n as r}from"./chunk-JM5ZYRO3.js";import"./chunk-2J2RFPL4.js";import"./chunk-G6EF2ZU7.js";import"./chunk-6REANS53.js";await r(async()=>{let o=i(t);o&&await m(o)});
