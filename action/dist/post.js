import{createRequire}from'node:module';const require=createRequire(import.meta.url);
import{a as t,f as i,k as m,n as r}from"./chunk-POITQYE5.js";import"./chunk-LY5VXSPE.js";import"./chunk-G6EF2ZU7.js";import"./chunk-6REANS53.js";await r(async()=>{let o=i(t);o&&await m(o)});
