LaunchedRanks.UsePlainTerminal();
return await CommandLine.Run(args, Console.Out, Console.Error);
