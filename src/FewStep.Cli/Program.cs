using FewStep.Cli.Verbs;
using FewStep.Runtime;

NativeHeap.KeepFreedMemory();
return await CommandLine.Run(args, Console.Out, Console.Error);
