import subprocess,json,os,statistics,time
S=os.environ["PARETO_SAMPLES"]
def run(model,task,more):
    t=time.time()
    j=json.loads(subprocess.run(["/tmp/pareto_r","eval",model,"--task",task,*more,"--json","--quiet"],check=True,stdout=subprocess.PIPE).stdout)
    return j["seconds"],time.time()-t,j["value"]
for name,model,task,extra in (("encoder, prompt-injection train",S+"/injection-classifier",json.dumps({"kind":"classification","data":S+"/prompt-injection","format":"csv","split":"train","max_length":128}),[]),
                        ("decoder, 24 windows",S+"/smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf","wikitext2-valid",["--limit","24","--window","512"])):
    one=[];two=[]
    for r in range(5):
        order=[(one,["--threads","2"]),(two,["--threads","1","--ranks","2"])]
        if r%2: order.reverse()
        for into,more in order: into.append(run(model,task,extra+more))
    print(name,"seconds one",[round(x[0],2) for x in one],"two",[round(x[0],2) for x in two],"ratio",[round(a[0]/b[0],3) for a,b in zip(one,two)],"wall ratio",[round(a[1]/b[1],3) for a,b in zip(one,two)],"values",{x[2] for x in one},{x[2] for x in two},flush=True)
