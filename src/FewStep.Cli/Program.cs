using FewStep.Cli.Verbs;
using FewStep.Platform;

NativeHeap.KeepFreedMemory();
return await CommandLine.Run(args, Console.Out, Console.Error);
